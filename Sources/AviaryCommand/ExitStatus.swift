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
    case .success: "all is done"
    case .failure: "anything not listed here"
    case .usage: "the command line cannot be understood, or its parts do not go together"
    case .data: "a file is not what is expected, damaged, or its weights do not fit"
    case .noInput: "a file, folder, model or preset is not there or cannot be read"
    case .unavailable: "this model, this build or this machine cannot do what is asked"
    case .notFinite: "a training diverged: its loss is not finite; its checkpoints are intact"
    case .cannotCreate: "the output cannot be written; what was there is whole"
    case .interrupted: "Ctrl-C (SIGINT): a training has saved its state, to be resumed"
    case .terminated: "SIGTERM: a training has saved its state, to be resumed"
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
