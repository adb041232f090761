#include "model/parameters.h"

#include <c10/core/GradMode.h>

#include <cstring>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

DType DTypeOf(at::ScalarType dtype) {
  PONDER_CHECK(dtype == at::kFloat || dtype == at::kDouble)
      << "parameters: expected float or double, got " << at::toString(dtype);
  return dtype == at::kFloat ? DType::kF32 : DType::kF64;
}

std::vector<int64_t> ShapeOf(const TensorSpec& spec) {
  return std::vector<int64_t>(spec.shape.begin(), spec.shape.end());
}

// FNV-1a: names become stream numbers of the initial draws, so it may never change.
uint64_t HashOfName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

template <typename T>
void FillNormal(T* values, uint64_t count, uint64_t seed, uint64_t ordinal, double deviation) {
  constexpr uint64_t kPositionsPerSample = uint64_t{1} << 32;
  for (uint64_t begin = 0; begin < count; begin += kPositionsPerSample) {
    const RandomStream draws(seed, RandomPurpose::kInit, ordinal,
                             static_cast<uint32_t>(begin / kPositionsPerSample));
    const uint64_t end = std::min(count, begin + kPositionsPerSample);
    for (uint64_t i = begin; i < end; ++i) {
      // Rounded to float first, so that models of both dtypes begin at the same point.
      const auto value =
          static_cast<float>(deviation * draws.Normal(static_cast<uint32_t>(i - begin)));
      values[i] = static_cast<T>(value);
    }
  }
}

}  // namespace

Parameters::Parameters(const DecoderConfig& config, at::ScalarType dtype, bool trainable)
    : layout_(config.Layout(DTypeOf(dtype))), init_std_(config.init_std), trainable_(trainable) {
  const int64_t element_size = dtype == at::kFloat ? 4 : 8;
  const int64_t flat_size = static_cast<int64_t>(layout_.total_bytes()) / element_size;
  flat_ = at::zeros({flat_size}, at::TensorOptions().dtype(dtype));
  if (trainable_) flat_grad_ = at::zeros_like(flat_);
  for (const TensorSpec& spec : layout_.tensors()) {
    num_elements_ += static_cast<int64_t>(spec.num_elements());
    at::Tensor view = Slice(flat_, spec).view(ShapeOf(spec)).detach();
    if (trainable_) {
      view.requires_grad_();
      view.mutable_grad() = Slice(flat_grad_, spec).view(ShapeOf(spec)).detach();
    }
    views_.emplace(spec.name, view);
  }
}

void Parameters::Initialize(uint64_t seed) {
  const c10::NoGradGuard no_grad;
  for (const TensorSpec& spec : layout_.tensors()) {
    at::Tensor values = Slice(flat_, spec);
    if (spec.name.ends_with(".bias")) {
      values.zero_();
    } else if (spec.name.ends_with("norm.weight")) {
      values.fill_(1.0);
    } else if (flat_.scalar_type() == at::kFloat) {
      FillNormal(values.data_ptr<float>(), spec.num_elements(), seed, HashOfName(spec.name),
                 init_std_);
    } else {
      FillNormal(values.data_ptr<double>(), spec.num_elements(), seed, HashOfName(spec.name),
                 init_std_);
    }
  }
}

const at::Tensor& Parameters::Get(std::string_view name) const {
  const auto found = views_.find(name);
  PONDER_CHECK(found != views_.end()) << "the model has no tensor named '" << name << "'";
  return found->second;
}

at::Tensor Parameters::Slice(const at::Tensor& flat, const TensorSpec& spec) const {
  return flat.narrow(0, static_cast<int64_t>(spec.offset / SizeOf(spec.dtype)),
                     static_cast<int64_t>(spec.num_elements()));
}

at::Tensor Parameters::Gather(const at::Tensor& flat) const {
  std::vector<at::Tensor> slices;
  for (const TensorSpec& spec : layout_.tensors()) slices.push_back(Slice(flat, spec));
  return at::cat(slices);
}

at::Tensor Parameters::GatherValues() const { return Gather(flat_); }

at::Tensor Parameters::GatherGrad() const {
  PONDER_CHECK(trainable_) << "gradients of a model that is not trainable";
  return Gather(flat_grad_);
}

void Parameters::ScatterValues(const at::Tensor& values) {
  PONDER_CHECK(values.dim() == 1 && values.size(0) == num_elements_ &&
               values.scalar_type() == flat_.scalar_type())
      << "parameters: expected [" << num_elements_ << "] " << at::toString(flat_.scalar_type())
      << ", got " << values.sizes() << " " << at::toString(values.scalar_type());
  const c10::NoGradGuard no_grad;
  int64_t begin = 0;
  for (const TensorSpec& spec : layout_.tensors()) {
    const auto count = static_cast<int64_t>(spec.num_elements());
    Slice(flat_, spec).copy_(values.narrow(0, begin, count));
    begin += count;
  }
}

void Parameters::ZeroGrad() {
  PONDER_CHECK(trainable_) << "gradients of a model that is not trainable";
  flat_grad_.zero_();
}

std::vector<char> Parameters::ToBytes() const {
  PONDER_CHECK(flat_.scalar_type() == at::kFloat) << "only float32 parameters travel as bytes";
  const auto* begin = reinterpret_cast<const char*>(flat_.const_data_ptr<float>());
  return std::vector<char>(begin, begin + layout_.total_bytes());
}

void Parameters::LoadBytes(std::string_view bytes) {
  PONDER_CHECK(flat_.scalar_type() == at::kFloat) << "only float32 parameters travel as bytes";
  if (bytes.size() != layout_.total_bytes()) {
    throw Error(Condition::kBadData, "loading weights: expected " +
                                         std::to_string(layout_.total_bytes()) + " bytes, got " +
                                         std::to_string(bytes.size()));
  }
  std::memcpy(flat_.mutable_data_ptr<float>(), bytes.data(), bytes.size());
}

}  // namespace ponder
