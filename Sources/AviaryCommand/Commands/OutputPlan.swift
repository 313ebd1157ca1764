import Aviary
import AviaryFiles
import AviaryImage

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

  /// Whether the inputs are arrays, which give arrays.
  let isOfArrays: Bool
  /// Whether one image goes to standard output.
  var isStandardOutput: Bool { output == "-" }

  private let inputs: InputList
  private let output: String
  private let isFolder: Bool
  private let names: OutputNames

  /// Plans the outputs: a single image goes to a file or into a folder; several images, or those of
  /// a folder, go into a folder, which is made if there is none, as `names` says.
  ///
  /// - Throws: `CommandError` for an output that does not fit the inputs.
  init(_ inputs: InputList, output: String, names: OutputNames) throws(CommandError) {
    (self.inputs, self.output, self.names) = (inputs, output, names)
    let kind = PathKind(of: output)
    let wantsFolder = inputs.isSeveral || output.hasSuffix("/") || names.pattern != nil
    isFolder = output != "-" && (kind == .folder || wantsFolder)
    if isFolder, kind != .folder {
      guard kind == nil else { throw .noOutputFolder(output, found: PathKind.label(of: output)) }
      // Nobody means a folder of that name.
      guard output.hasSuffix("/") || ImageFormat.named(output) == nil && !output.isArray else {
        throw .noOutputFolder(output, found: "the name of a file")
      }
    }
    guard output != "-" || !inputs.isSeveral else {
      throw .noOutputFolder("standard output", found: "one stream")
    }
    let arrays = inputs.files.map(\.path).filter(\.isArray)
    isOfArrays = !arrays.isEmpty && arrays.count == inputs.files.count
    guard isOfArrays || arrays.isEmpty else { throw .mixedInputs(array: arrays[0]) }
    if isOfArrays {
      guard isFolder || output.isArray else { throw .arrayName(output) }
    } else {
      guard isFolder || output == "-" || names.format != nil || ImageFormat.writing(output) != nil
      else { throw .outputName(output) }
      if isFolder { try names.check() }
    }
  }

  /// The images in the order of the inputs, and those that are skipped.
  ///
  /// - Parameters:
  ///   - model: what the model is called in names.
  ///   - scale: what the images are enlarged by, as it stands in names.
  ///   - skipsExisting: whether images whose output is there are skipped.
  ///   - manifest: another file that is written, which no result may be.
  /// - Throws: `CommandError.outputTaken` where a result would be the manifest.
  func jobs(
    model: String, scale: String, skipsExisting: Bool, manifest: String? = nil
  ) throws(CommandError) -> (jobs: [Job], skipped: [InputList.Skipped]) {
    let read = Set(inputs.files.compactMap { FileIdentity(ofInput: $0.path) })
    // By where they lead, for a link may lead to another output; and by bytes: names that differ in
    // how letters are composed are two names.
    var taken = Set<[UInt8]>()
    var jobs: [Job] = []
    var skipped: [InputList.Skipped] = []
    for input in inputs.files {
      let path = isFolder ? self.path(of: input, model: model, scale: scale) : output
      // By identity, not by name: a link in the output folder may point to an input.
      let identity = path == "-" ? nil : FileIdentity(of: path)
      let place = path == "-" ? [] : place(of: path)
      if let manifest, place == self.place(of: manifest) {
        throw .outputTaken(manifest, by: "the manifest")
      }
      if let identity, read.contains(identity) {
        jobs.append(Job(input: input.path, output: .failure(.outputIsInput(path))))
      } else if !taken.insert(place).inserted {
        // The first input keeps the name.
        jobs.append(Job(input: input.path, output: .failure(.outputTaken(path, by: input.path))))
      } else if skipsExisting, identity != nil {
        skipped.append(InputList.Skipped(path: input.path, reason: "\(path) is there"))
      } else {
        jobs.append(Job(input: input.path, output: .success(path)))
      }
    }
    return (jobs, skipped)
  }

  /// Where a file of this path is written; a path that cannot be followed fails on writing.
  private func place(of path: String) -> [UInt8] {
    (try? AtomicFile.canonical(path)) ?? path.pathBytes
  }

  /// Makes the folders into which images are written.
  ///
  /// - Throws: `FileError`.
  func makeFolders(for jobs: [Job]) throws {
    guard isFolder else { return }
    let folders = Set(jobs.compactMap { try? $0.output.get().folder })
    for folder in folders.sorted() { try Folder.make(folder) }
  }

  private func path(of input: InputList.File, model: String, scale: String) -> String {
    let name = input.path == "-" ? "stdin" : input.path.fileStem
    let file = names.name(
      of: name, model: model, scale: scale, ending: isOfArrays ? "npy" : nil)
    let folder = output.hasSuffix("/") ? output : output + "/"
    return folder + (input.folder.isEmpty ? "" : input.folder + "/") + file
  }

  /// The images in a folder, without its subfolders. File names decide, so that other files beside
  /// the images are not an error, but a broken image is.
  ///
  /// - Throws: `CommandError.noFolder`, `AviaryError.noImages`.
  static func images(in folder: String) throws -> [String] {
    guard PathKind(of: folder) == .folder else {
      throw CommandError.noFolder(folder, found: PathKind.label(of: folder))
    }
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    return try ImageFolder.images(in: folder).map { stem + $0 }
  }
}

extension String {
  /// Whether a file of this name is an array.
  fileprivate var isArray: Bool { hasSuffix(".npy") }
}
