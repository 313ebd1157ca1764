import ArgumentParser
import Aviary
import AviaryCompute
import Glibc

/// When the ways to compute a layer are timed: what is found is kept in the user's cache.
enum TuningChoice: String, CaseIterable, ExpressibleByArgument {
  case always, auto
  /// Neither timed nor looked up: the same algorithms on all machines with the same instructions.
  case never

  /// What to choose algorithms by; nil for estimates.
  ///
  /// - Parameters:
  ///   - stated: on the command line; nil for what `AVIARY_TUNE` says.
  ///   - usual: where that says nothing, or nothing that has a meaning.
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
