#include "trainer/checkpoint/group_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/wire.h"
#include "ponder/v1/experience.pb.h"

namespace ponder {
namespace {

constexpr std::string_view kMagic = "PNDRGRP\x01";

template <typename Integer>
void PutInteger(std::string* bytes, Integer value) {
  for (size_t index = 0; index < sizeof(Integer); ++index) {
    bytes->push_back(static_cast<char>((value >> (8 * index)) & 0xff));
  }
}

void PutMessage(std::string* bytes, const google::protobuf::MessageLite& message) {
  std::string text;
  {
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps in the order of their keys
    PONDER_CHECK(message.SerializeToCodedStream(&coded)) << message.GetTypeName();
  }
  PONDER_CHECK(text.size() <= std::numeric_limits<uint32_t>::max())
      << "a record of " << text.size() << " bytes";
  PutInteger(bytes, static_cast<uint32_t>(text.size()));
  PutInteger(bytes, Crc32c(text));
  *bytes += text;
}

// Takes pieces off the front of a file's bytes and knows where it stands.
class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::string_view Take(uint64_t size) {
    if (size > bytes_.size() - position_) {
      Refuse("expected " + std::to_string(size) + " more bytes, got " +
             std::to_string(bytes_.size() - position_));
    }
    const std::string_view piece = bytes_.substr(position_, size);
    position_ += size;
    return piece;
  }

  template <typename Integer>
  Integer TakeInteger() {
    const std::string_view piece = Take(sizeof(Integer));
    Integer value = 0;
    for (size_t index = 0; index < sizeof(Integer); ++index) {
      value |= static_cast<Integer>(static_cast<unsigned char>(piece[index])) << (8 * index);
    }
    return value;
  }

  template <typename Message>
  Message TakeMessage() {
    const auto size = TakeInteger<uint32_t>();
    const auto crc32c = TakeInteger<uint32_t>();
    const std::string_view text = Take(size);
    if (const uint32_t actual = Crc32c(text); actual != crc32c) {
      Refuse("expected CRC32C " + std::to_string(crc32c) + " of the record before, got " +
             std::to_string(actual));
    }
    Message message;
    if (text.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
        !message.ParseFromArray(text.data(), static_cast<int>(text.size()))) {
      Refuse("expected a " + message.GetTypeName() + " in the record before, got other bytes");
    }
    return message;
  }

  uint64_t left() const { return bytes_.size() - position_; }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw CheckpointError(Condition::kBadData, "reading " + source_ + " at byte " +
                                                   std::to_string(position_) + ": " + what);
  }

 private:
  const std::string_view bytes_;
  const std::string& source_;
  uint64_t position_ = 0;
};

TrajectoryGroup TakeGroup(Cursor& cursor) {
  const WireLimits limits;
  TrajectoryGroup group;
  group.lease = FromWire(cursor.TakeMessage<v1::PromptLease>(), limits);
  const auto header = cursor.TakeMessage<v1::SubmitGroupHeader>();
  group.outcome = FromWire(header.outcome());
  group.reason = header.reason();
  if (header.num_trajectories() > limits.max_samples + 1) {
    cursor.Refuse("expected at most " + std::to_string(limits.max_samples + 1) +
                  " trajectories in a group, got " + std::to_string(header.num_trajectories()));
  }
  for (uint32_t index = 0; index < header.num_trajectories(); ++index) {
    group.trajectories.push_back(FromWire(cursor.TakeMessage<v1::Trajectory>(), limits));
  }
  return group;
}

}  // namespace

std::string SerializeGroups(const std::vector<TrajectoryGroup>& groups) {
  std::string bytes(kMagic);
  PutInteger(&bytes, static_cast<uint64_t>(groups.size()));
  for (const TrajectoryGroup& group : groups) {
    PromptLease lease = group.lease;
    lease.lease_id = 0;
    lease.try_number = 0;
    lease.expires_in_ms = 0;
    PutMessage(&bytes, ToWire(lease));
    v1::SubmitGroupHeader header;
    header.set_num_trajectories(static_cast<uint32_t>(group.trajectories.size()));
    header.set_outcome(ToWire(group.outcome));
    header.set_reason(group.reason);
    PutMessage(&bytes, header);
    for (const Trajectory& trajectory : group.trajectories) {
      PutMessage(&bytes, ToWire(trajectory));
    }
  }
  return bytes;
}

std::vector<TrajectoryGroup> ParseGroups(std::string_view bytes, const std::string& source) {
  Cursor cursor(bytes, source);
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    cursor.Refuse("expected the magic bytes of a group file of format version 1, got others");
  }
  cursor.Take(kMagic.size());
  const auto num_groups = cursor.TakeInteger<uint64_t>();
  std::vector<TrajectoryGroup> groups;
  for (uint64_t index = 0; index < num_groups; ++index) {
    try {
      groups.push_back(TakeGroup(cursor));
    } catch (const ProtocolError& error) {
      cursor.Refuse(error.what());
    }
  }
  if (cursor.left() != 0) {
    cursor.Refuse("expected the end, got " + std::to_string(cursor.left()) + " more bytes");
  }
  return groups;
}

}  // namespace ponder
