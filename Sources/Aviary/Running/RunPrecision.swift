public import AviaryCompute

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

extension Model {
  /// How the model is computed.
  ///
  /// - Parameters:
  ///   - precision: the numbers; nil for those that the model is made for: whole numbers where it was
  ///     calibrated for them, unless `exact`, else float32.
  ///   - exact: whether algorithms that calculate in another order than the definition are left out.
  ///   - tuning: what was measured; nil to choose by estimate.
  /// - Throws: `AviaryError.notQuantized` for whole numbers of a model that was not calibrated for
  ///   them.
  public func planOptions(
    _ precision: RunPrecision? = nil, exact: Bool = false, tuning: Tuning? = nil
  ) throws(AviaryError) -> PlanOptions {
    var options = PlanOptions(exact: exact, tuning: tuning)
    switch precision ?? (quantization.isEmpty || exact ? .float32 : .int8) {
    case .float32: break
    case .bfloat16: options.precision = .bfloat16
    case .int8:
      guard !quantization.isEmpty else { throw .notQuantized(name) }
      // The other convolutions in float32: what was measured holds on every processor.
      options.quantization = Quantization(quantization)
    }
    return options
  }
}
