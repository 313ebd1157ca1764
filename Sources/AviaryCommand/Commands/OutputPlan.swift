import Aviary
import AviaryFiles
import AviaryImage
import FoundationEssentials

/// Which image is written where, decided before anything is computed, so that hours of work are not
/// lost to a name that is taken.
struct OutputPlan {
  /// One image.
  struct Job {
    let input: String
    /// The output path, or the reason why there is none.
    let output: Result<String, CommandError>

    /// The same for the library.
    var path: Result<String, any Error> { output.mapError { $0 } }
  }

  /// In the order given; those of a folder sorted by name.
  let jobs: [Job]
  /// Whether the inputs are arrays, which give arrays.
  let isOfArrays: Bool

  /// Plans the outputs: a single image goes to a file or into a folder; several images, or those of
  /// a folder, go into an existing folder as `<name>.png`.
  ///
  /// - Throws: `CommandError` for an output that does not fit the inputs;
  ///   `AviaryError.noImages` for a folder without images.
  init(inputs: [String], output: String) throws {
    let files = try inputs.flatMap { input in
      PathKind(of: input) == .folder ? try OutputPlan.images(in: input) : [input]
    }
    let isFolder = PathKind(of: output) == .folder
    let wantsFolder = inputs.count > 1 || files != inputs || output.hasSuffix("/")
    guard isFolder || !wantsFolder else {
      throw CommandError.noOutputFolder(output, found: PathKind.label(of: output))
    }
    let arrays = files.filter(\.isArray)
    isOfArrays = !arrays.isEmpty && arrays.count == files.count
    guard isOfArrays || arrays.isEmpty else { throw CommandError.mixedInputs(array: arrays[0]) }
    if isOfArrays {
      guard isFolder || output.isArray else { throw CommandError.arrayName(output) }
    } else {
      guard isFolder || ImageFormat.writing(output) != nil else {
        throw CommandError.outputName(output)
      }
    }
    let read = Set(files.compactMap(FileIdentity.init(of:)))
    var taken: [String: String] = [:]
    let ending = isOfArrays ? "npy" : OutputPlan.usual.endings[0]
    jobs = files.map { input in
      let path = isFolder ? OutputPlan.path(of: input, in: output, ending) : output
      // By identity, not by name: a link in the output folder may point to an input.
      if let identity = FileIdentity(of: path), read.contains(identity) {
        return Job(input: input, output: .failure(.outputIsInput(path)))
      }
      if let other = taken.updateValue(input, forKey: path) {
        // The first input keeps the name.
        taken[path] = other
        return Job(input: input, output: .failure(.outputTaken(path, by: input)))
      }
      return Job(input: input, output: .success(path))
    }
  }

  /// The images in a folder, sorted by name, without its subfolders. File names decide, so that
  /// other files beside the images are not an error, but a broken image is.
  ///
  /// - Throws: `CommandError.noFolder`, `AviaryError.noImages`.
  static func images(in folder: String) throws -> [String] {
    guard PathKind(of: folder) == .folder else {
      throw CommandError.noFolder(folder, found: PathKind.label(of: folder))
    }
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    return try ImageFolder.images(in: folder).map { stem + $0 }
  }

  /// The format of images written into a folder.
  private static let usual = ImageFormat.writable.first ?? .png

  private static func path(of input: String, in folder: String, _ ending: String) -> String {
    "\(folder.hasSuffix("/") ? folder : folder + "/")\(input.fileStem).\(ending)"
  }
}

extension String {
  /// Whether a file of this name is an array.
  fileprivate var isArray: Bool { hasSuffix(".npy") }
}
