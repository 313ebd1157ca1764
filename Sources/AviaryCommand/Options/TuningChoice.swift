import ArgumentParser
import Aviary
import AviaryCompute
import Glibc

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
