/// The numbers in which a model is computed: its raw value is how they are called on command lines.
public enum RunPrecision: String, CaseIterable, Codable, Hashable, Sendable {
  /// IEEE single precision.
  case float32 = "f32"
  /// The upper half of it, where that is faster and the processor has it: a result differs by about
  /// 0.2 % of the largest value.
  case bfloat16 = "bf16"
  /// Whole numbers of 8 bits, in the convolutions of a checkpoint that was calibrated for it; the
  /// others compute in float32.
  case int8
}
