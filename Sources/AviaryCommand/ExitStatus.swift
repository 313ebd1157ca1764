import AviaryContainers
import AviaryFormats
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryImage
import AviaryTraining
/// What the program's status says when it ends; the numbers are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
  case success = 0
  case failure = 1
  /// EX_USAGE, which ArgumentParser uses as well.
  case usage = 64
  /// EX_DATAERR.
  case data = 65
  /// EX_NOINPUT.
  case noInput = 66
  /// EX_UNAVAILABLE.
  case unavailable = 69
  /// EX_SOFTWARE: the calculation itself went wrong.
  case notFinite = 70
  /// EX_CANTCREAT. A full disk is among it: EX_IOERR would have to be told apart by the words of the
  /// system's reason.
  case cannotCreate = 73
  /// As the shell numbers a program that SIGINT ended.
  case interrupted = 130
  /// As the shell numbers a program that SIGTERM ended.
  case terminated = 143

  /// When it is given, for the help.
  var meaning: String {
    switch self {
    case .success: "success"
    case .failure: "any other error"
    case .usage: "invalid command line"
    case .data: "invalid or damaged file, or weights that do not fit"
    case .noInput: "file, folder, model or preset not found or unreadable"
    case .unavailable: "not supported by this model, build or machine"
    case .notFinite: "the training diverged (the loss is not finite); its checkpoints are intact"
    case .cannotCreate: "the output cannot be written; an existing file is intact"
    case .interrupted: "Ctrl-C (SIGINT); a training has saved its state and can be resumed"
    case .terminated: "SIGTERM; a training has saved its state and can be resumed"
    }
  }

  /// All of them, a line each.
  static let table = allCases.map {
    let number = "\($0.rawValue)"
    return "  \(number)\(String(repeating: " ", count: 5 - number.count))\($0.meaning)"
  }.joined(separator: "\n")

  /// The status with which the program ends after an error.
  init(_ error: any Error) { self = (error as? any ErrorWithStatus)?.status ?? .failure }
}
