/// What can go wrong with videos: programs, streams, what an encoder or a container cannot hold.
public enum VideoError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A program that reads or writes videos is not installed.
  case noProgram(String)
  /// The program ended with an error; `reason` is its own word.
  case program(String, path: String, reason: String)
  /// The file has no video, or none of a kind that is enlarged.
  case video(path: String, expected: String, found: String)
  /// The result cannot have this form.
  case result(path: String, expected: String, found: String)
  /// Frames of a sequence that are not there.
  case frames(path: String, expected: String, found: String)
  /// What another run left unfinished was begun with other options, or of another input.
  case unfinished(folder: String, path: String)

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .noProgram(let name):
      "\(name): not found on PATH; videos are read and written by ffmpeg's programs (Debian: apt-get "
        + "install ffmpeg)"
    case .program(let name, let path, let reason): "\(path): \(name) failed: \(reason)"
    case .video(let path, let expected, let found),
      .result(let path, let expected, let found),
      .frames(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    case .unfinished(let folder, let path):
      "\(folder): holds a part of \(path) that was begun with another input or other options; "
        + "remove it, or use --restart"
    }
  }
}
