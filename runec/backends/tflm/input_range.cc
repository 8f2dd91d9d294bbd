#include "input_range.h"

#include <cfloat>

namespace {

struct Ends {
    int32_t lowest, highest;
};

bool ends_of(tflite::TensorType type, Ends *ends) {
    switch (type) {
        case tflite::TensorType_INT8: *ends = {-128, 127}; return true;
        case tflite::TensorType_UINT8: *ends = {0, 255}; return true;
        case tflite::TensorType_INT16: *ends = {-32768, 32767}; return true;
        default: return false;
    }
}

bool contains(const flatbuffers::Vector<int32_t> *tensors, int32_t wanted) {
    for (uint32_t i = 0; tensors != nullptr && i < tensors->size(); i++) {
        if (tensors->Get(i) == wanted) return true;
    }
    return false;
}

float finite(float value) { return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : value; }

// Of an operator QUANTIZE.
InputRange range_of(const tflite::SubGraph *graph, const tflite::Operator *use) {
    const InputRange none = {InputRangeKind::kNone, 0.0f, 0.0f};
    if (use->outputs() == nullptr || use->outputs()->size() == 0 || use->outputs()->Get(0) < 0) return none;
    const tflite::Tensor *tensor = graph->tensors()->Get(static_cast<uint32_t>(use->outputs()->Get(0)));
    const tflite::QuantizationParameters *quantization = tensor->quantization();
    Ends ends;
    if (!ends_of(tensor->type(), &ends) || quantization == nullptr || quantization->scale() == nullptr ||
        quantization->zero_point() == nullptr || quantization->scale()->size() != 1 ||
        quantization->zero_point()->size() != 1) {
        return none;
    }
    const float scale = quantization->scale()->Get(0);
    const int64_t zero_point = quantization->zero_point()->Get(0);
    // A NaN fails both.
    if (!(scale > 0.0f && scale <= FLT_MAX) || zero_point < ends.lowest || zero_point > ends.highest) {
        return {InputRangeKind::kDamaged, 0.0f, 0.0f};
    }
    const int32_t zero = static_cast<int32_t>(zero_point);
    return {InputRangeKind::kClamped, finite(static_cast<float>(ends.lowest - zero) * scale),
            finite(static_cast<float>(ends.highest - zero) * scale)};
}

}  // namespace

InputRange find_input_range(const tflite::Model *model, uint32_t input) {
    const tflite::SubGraph *graph = model->subgraphs()->Get(0);
    const int32_t wanted = graph->inputs()->Get(input);
    InputRange found = {InputRangeKind::kNone, 0.0f, 0.0f};
    if (contains(graph->outputs(), wanted)) return found;
    for (const tflite::Operator *use : *graph->operators()) {
        if (!contains(use->inputs(), wanted)) continue;
        const bool is_quantize =
            model->operator_codes()->Get(use->opcode_index())->builtin_code() == tflite::BuiltinOperator_QUANTIZE;
        const InputRange other =
            is_quantize ? range_of(graph, use) : InputRange{InputRangeKind::kNone, 0.0f, 0.0f};
        if (other.kind != InputRangeKind::kClamped) return other;
        if (found.kind == InputRangeKind::kNone) found = other;
        if (other.least < found.least) found.least = other.least;
        if (other.most > found.most) found.most = other.most;
    }
    return found;
}

void clamp_input(const InputRange &range, float *elements, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const float x = elements[i];
        elements[i] = x != x ? 0.0f : x < range.least ? range.least : x > range.most ? range.most : x;
    }
}
