import ArgumentParser
import Aviary

/// The precision in which a network is computed.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Data type to compute in: f32, bf16 or int8 (default: int8 for a quantized checkpoint, else "
        + "f32).", valueName: "precision"),
    completion: .list(RunPrecision.allCases.map(\.rawValue)),
    transform: { text in
      guard let precision = RunPrecision(rawValue: text) else {
        throw ValidationError("one of f32, bf16, int8 expected")
      }
      return precision
    })
  var precision: RunPrecision?
}
