#include "core/base/file.h"

#include <fcntl.h>
#include <isa-l/crc.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/base/error.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& operation, const std::string& path, int error) {
  throw Error(Condition::kIo, operation + " " + path + ": " + std::strerror(error));
}

// A signal may interrupt a call that did nothing yet: it is made again.
template <typename Call>
auto Uninterrupted(const Call& call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Owns a descriptor.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, const char* operation)
      : fd_(Uninterrupted([&] { return open(path.c_str(), flags | O_CLOEXEC, 0644); })) {
    if (fd_ < 0) Fail(operation, path, errno);
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

class RealWritableFile : public WritableFile {
 public:
  RealWritableFile(std::string path, int flags)
      : path_(std::move(path)), descriptor_(path_, flags, "opening for writing") {}

  void Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          Uninterrupted([&] { return write(descriptor_.get(), bytes.data(), bytes.size()); });
      if (count < 0) Fail("writing", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  void Sync() override {
    if (Uninterrupted([&] { return fsync(descriptor_.get()); }) != 0) {
      Fail("syncing", path_, errno);
    }
  }

  void Close() override {
    const int fd = descriptor_.Release();
    if (fd >= 0 && close(fd) != 0 && errno != EINTR) Fail("closing", path_, errno);
  }

 private:
  const std::string path_;
  Descriptor descriptor_;
};

// Fills `bytes` from `offset` on and cuts it to what was there.
void ReadAt(int fd, const std::string& path, uint64_t offset, std::string* bytes) {
  size_t filled = 0;
  while (filled < bytes->size()) {
    const ssize_t count = Uninterrupted([&] {
      return pread(fd, bytes->data() + filled, bytes->size() - filled,
                   static_cast<off_t>(offset + filled));
    });
    if (count < 0) Fail("reading", path, errno);
    if (count == 0) break;  // the end, or the file became shorter while it was read
    filled += static_cast<size_t>(count);
  }
  bytes->resize(filled);
}

// The size of an open file, which must be a regular one.
uint64_t SizeOfRegular(const Descriptor& descriptor, const std::string& path) {
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0) Fail("reading the size of", path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(Condition::kIo, "reading " + path + ": expected a regular file");
  }
  return static_cast<uint64_t>(status.st_size);
}

// Without O_NONBLOCK a named pipe in place of the file would block for ever.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK;

class RealFileSystem : public FileSystem {
 public:
  std::unique_ptr<WritableFile> Create(const std::string& path) override {
    return std::make_unique<RealWritableFile>(path, O_WRONLY | O_CREAT | O_TRUNC);
  }

  std::unique_ptr<WritableFile> OpenForAppend(const std::string& path) override {
    return std::make_unique<RealWritableFile>(path, O_WRONLY | O_CREAT | O_APPEND);
  }

  std::string ReadFile(const std::string& path, uint64_t max_bytes) override {
    const Descriptor descriptor(path, kReadFlags, "opening for reading");
    const uint64_t size = SizeOfRegular(descriptor, path);
    if (size > max_bytes) {
      throw Error(Condition::kBadData, "reading " + path + ": " + std::to_string(size) +
                                           " bytes, expected at most " + std::to_string(max_bytes));
    }
    std::string bytes(size, '\0');
    ReadAt(descriptor.get(), path, /*offset=*/0, &bytes);
    return bytes;
  }

  std::string ReadRange(const std::string& path, uint64_t offset, uint64_t max_bytes) override {
    const Descriptor descriptor(path, kReadFlags, "opening for reading");
    const uint64_t size = SizeOfRegular(descriptor, path);
    std::string bytes(offset < size ? std::min(max_bytes, size - offset) : 0, '\0');
    ReadAt(descriptor.get(), path, offset, &bytes);
    return bytes;
  }

  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }

  bool IsSymlink(const std::string& path) override {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  }

  uint64_t FileSize(const std::string& path) override {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) Fail("reading the size of", path, errno);
    return static_cast<uint64_t>(status.st_size);
  }

  void MakeDirectories(const std::string& path) override {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) Fail("making the folder", path, error.value());
  }

  std::vector<std::string> List(const std::string& path) override {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entries(path, error);
    if (error == std::errc::no_such_file_or_directory) return names;
    if (error) Fail("listing", path, error.value());
    for (const fs::directory_entry& entry : entries)
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  void Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) Fail("renaming " + from + " to", to, errno);
  }

  void RenameNew(const std::string& from, const std::string& to) override {
    const long result =
        syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    if (result != 0) Fail("renaming " + from + " without replacing to", to, errno);
  }

  void Exchange(const std::string& one, const std::string& other) override {
    const long result =
        syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    if (result != 0) Fail("exchanging " + one + " with", other, errno);
  }

  void RemoveFile(const std::string& path) override {
    if (unlink(path.c_str()) != 0) Fail("removing", path, errno);
  }

  void RemoveTree(const std::string& path) override {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) Fail("removing the folder", path, error.value());
  }

  void SyncDirectory(const std::string& path) override {
    const Descriptor descriptor(path, O_RDONLY | O_DIRECTORY, "opening the folder");
    if (Uninterrupted([&] { return fsync(descriptor.get()); }) != 0) {
      Fail("syncing the folder", path, errno);
    }
  }

  void Truncate(const std::string& path, uint64_t size) override {
    if (truncate(path.c_str(), static_cast<off_t>(size)) != 0) Fail("cutting", path, errno);
  }

  uint64_t FreeBytes(const std::string& path) override {
    struct statvfs status {};
    if (statvfs(path.c_str(), &status) != 0) Fail("reading the free space of", path, errno);
    return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

std::string ParentFolder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string FileSystem::ReadRange(const std::string& path, uint64_t offset, uint64_t max_bytes) {
  const std::string bytes = ReadFile(path, std::numeric_limits<uint64_t>::max());
  return offset < bytes.size() ? bytes.substr(offset, max_bytes) : std::string();
}

std::unique_ptr<FileSystem> MakeRealFileSystem() { return std::make_unique<RealFileSystem>(); }

void WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  try {
    const std::unique_ptr<WritableFile> file = files.Create(temporary);
    file->Append(bytes);
    file->Sync();
    file->Close();
    files.Rename(temporary, path);
  } catch (const Error&) {
    // Best effort: the old file is intact, and the next write of this path truncates the leftover.
    try {
      if (files.Exists(temporary)) files.RemoveFile(temporary);
    } catch (const Error&) {
    }
    throw;
  }
  files.SyncDirectory(ParentFolder(path));
}

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* owned) const { EVP_MD_CTX_free(owned); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  PONDER_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1)
      << "OpenSSL has no SHA-256";
}

Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  PONDER_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1)
      << "SHA-256 update failed";
}

std::string Sha256::FinishHex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  PONDER_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) == 1)
      << "SHA-256 finish failed";
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.FinishHex();
}

uint32_t Crc32c(std::string_view bytes, uint32_t crc) {
  // ISA-L works on the uninverted register and takes an int length: feed pieces.
  uint32_t state = ~crc;
  constexpr size_t kPiece = size_t{1} << 30;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    // The interface lacks const but does not write.
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

}  // namespace ponder
