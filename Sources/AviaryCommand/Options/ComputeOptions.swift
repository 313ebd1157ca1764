import ArgumentParser
import Aviary
import AviaryCompute
import Glibc

/// Resources for a computation. The defaults are all cores that the process may use, and half of
/// the free memory.
struct ComputeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Number of threads (default: all available cores).", valueName: "number"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Memory for activations, such as 512M or 2G (default: half of the free memory).",
      valueName: "size"))
  var memory: ByteCount?

  @Flag(help: "Exclude algorithms that trade accuracy for speed (Winograd, FFT).")
  var exact = false

  @Option(
    help: ArgumentHelp(
      "When to autotune (benchmark each layer's kernel candidates): always, never, or auto, only "
        + "for jobs at least ten times longer than the tuning (default: $AVIARY_TUNE, else auto).",
      valueName: "always|auto|never"))
  var tune: TuningChoice?

  @OptionGroup var numbers: PrecisionOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
    }
  }

  /// For the library.
  var upscalerOptions: UpscalerOptions {
    UpscalerOptions(
      threads: threads, memory: memory?.bytes, exact: exact, precision: numbers.precision,
      tuning: TuningChoice.tuning(tune, else: .auto))
  }
}

/// A number of bytes as people write it: 1000000, 512K, 512M, 2G, 1.5G (powers of 1024).
struct ByteCount: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    // People write 2G, 2GB and 2GiB, and never mean powers of ten.
    var text = argument.uppercased()
    for suffix in ["IB", "B"] where text.hasSuffix(suffix) {
      text.removeLast(suffix.count)
      break
    }
    let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
    let unit = text.last.flatMap { units[$0] }
    if unit != nil { text.removeLast() }
    // Within what an integer holds: the comparison is false for NaN, too.
    guard let number = Double(text), case let bytes = number * (unit ?? 1), bytes >= 1,
      bytes < 0x1p60
    else { return nil }
    self.bytes = Int(bytes)
  }
}

/// The precision in which a network is computed.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Data type to compute in: f32, bf16 or int8 (default: int8 for a quantized checkpoint, else "
        + "f32).", valueName: "precision"),
    completion: .list(RunPrecision.allCases.map(\.rawValue)),
    transform: { text in
      guard let precision = RunPrecision(rawValue: text) else {
        throw ValidationError("expected one of f32, bf16, int8")
      }
      return precision
    })
  var precision: RunPrecision?
}

/// When kernel candidates are timed; results are kept in the user's cache.
enum TuningChoice: String, CaseIterable, ExpressibleByArgument {
  case always, auto
  /// No timing and no cache: the same kernels on all machines with the same instruction sets.
  case never

  /// The autotuner to choose kernels with; nil for estimates.
  ///
  /// - Parameters:
  ///   - stated: on the command line; nil for what `AVIARY_TUNE` says.
  ///   - usual: the fallback if `AVIARY_TUNE` is unset or has no valid value.
  static func tuning(_ stated: TuningChoice?, else usual: TuningChoice) -> Tuning? {
    let variable = unsafe getenv("AVIARY_TUNE").flatMap { name in
      TuningChoice(rawValue: unsafe String(cString: name))
    }
    return switch stated ?? variable ?? usual {
    case .always: Tuning(.always, store: TuningCache.standard)
    case .auto: Tuning(.auto, store: TuningCache.standard)
    case .never: nil
    }
  }
}
