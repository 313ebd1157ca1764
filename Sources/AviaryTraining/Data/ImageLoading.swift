import AviaryContainers
import AviaryFiles
import AviaryImage
import Crypto
import FoundationEssentials
import Glibc

/// The images of a folder and of all folders in it.
enum ImageSearch {
  /// The images' paths within a folder, sorted by their bytes; hidden files (as some systems leave
  /// them beside each image) and everything that does not call itself an image left aside.
  /// What calls itself an image is found even where it is not read: nobody is to wonder where it
  /// went.
  ///
  /// - Throws: `TrainingError.data` for a folder that is none, that cannot be read, or that has no
  ///   images.
  static func images(in folder: String) throws(TrainingError) -> [String] {
    let found = try self.folder(folder)
    var names: [String] = []
    // By what they are and not by name: links may lead round in a circle.
    var visited: Set<Identity> = [found]
    var pending = [""]
    while let prefix = pending.popLast() {
      let path = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
      let entries: [String]
      do {
        entries = try FileManager.default.contentsOfDirectory(atPath: path)
      } catch {
        throw .data(path: path, expected: "a folder that can be read", found: "\(error)")
      }
      for entry in entries where !entry.hasPrefix(".") {
        let name = prefix.isEmpty ? entry : "\(prefix)/\(entry)"
        guard let found = identity("\(folder)/\(name)") else { continue }
        if found.isFolder {
          if visited.insert(found).inserted { pending.append(name) }
        } else if ImageFormat.named(entry) != nil {
          names.append(name)
        }
      }
    }
    guard !names.isEmpty else {
      throw .data(
        path: folder, expected: "images (\(ImageFormat.list(ImageFormat.readable)))",
        found: "none")
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Throws unless there is a folder of that path.
  @discardableResult
  static func folder(_ path: String) throws(TrainingError) -> Identity {
    guard let found = identity(path), found.isFolder else {
      let found = identity(path) == nil ? "nothing" : "a file"
      throw .data(path: path, expected: "a folder", found: found)
    }
    return found
  }

  /// What a path leads to, through links.
  struct Identity: Hashable {
    var device: UInt64
    var file: UInt64
    var isFolder: Bool
  }

  private static func identity(_ path: String) -> Identity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Identity(
      device: UInt64(status.st_dev), file: UInt64(status.st_ino),
      isFolder: status.st_mode & S_IFMT == S_IFDIR)
  }
}

/// The names of low-resolution images beside their originals'.
package enum ImagePartner {
  /// The name, in `folder`, of the image that belongs to an original; nil where there is none.
  ///
  /// - Parameter name: the original's, within its own folder.
  package static func name(of name: String, scale: Int, in folder: String) -> String? {
    candidates(name, scale: scale)
      .first { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }

  /// Published sets append the scale to names, or say LR where the original says HR, or neither;
  /// compressed images have the same name with another ending.
  static func candidates(_ name: String, scale: Int) -> [String] {
    let stem = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
    let lossless = ImageFormat.png.endings[0]
    // The customary ending of each format that is read; the others are hardly met.
    let endings = ImageFormat.readable.map { $0.endings[0] }
    let names =
      [name, "\(stem)x\(scale).\(lossless)", "\(stem)_x\(scale).\(lossless)"]
      + endings.map { "\(stem).\($0)" } + [name.replacing("HR", with: "LR")]
    // Without repetitions: they stand in messages.
    return names.indices.filter { names.firstIndex(of: names[$0]) == $0 }.map { names[$0] }
  }
}

/// Reads the images of a training, and keeps account of those that are left out.
struct ImageLoading {
  private(set) var pairs: [ImagePair] = []
  private(set) var skipped: [TrainingSet.Skipped] = []

  /// The most samples that one image may have: it is in memory as floats while it is read.
  private static let largestImage = 1 << 28

  private let data: DataRecipe
  private let geometry: PatchGeometry
  private let memoryLimit: Int
  private var byteCount = 0
  /// The digests of the files used, as `sha256sum` prints them.
  private var digests = ""
  /// The largest of the images that are smaller than a patch.
  private var largest: (name: String, width: Int, height: Int)?
  private var tooSmall = 0

  init(_ data: DataRecipe, _ geometry: PatchGeometry, memoryLimit: Int) {
    self.data = data
    self.geometry = geometry
    self.memoryLimit = memoryLimit
  }

  /// The SHA-256 of the digests of all files, after what is done to the images.
  var fingerprint: String {
    let work = "\(data.inputs == nil ? "made" : "paired") \(data.degradations)\n"
    return SHA256.hash(data: Array((work + digests).utf8)).hexadecimal
  }

  /// Reads all images.
  mutating func load(_ progress: (_ done: Int, _ total: Int) -> Void) throws(TrainingError) {
    let names = try ImageSearch.images(in: data.targets)
    if let inputs = data.inputs { try ImageSearch.folder(inputs) }
    for (done, name) in names.enumerated() {
      progress(done, names.count)
      try load(name)
    }
    progress(names.count, names.count)
    if let largest, tooSmall == names.count {
      let side = geometry.minimumSide
      throw .data(
        path: data.targets, expected: "images of at least \(side)x\(side) pixels",
        found: "at most \(largest.width)x\(largest.height) (\(largest.name))")
    }
    guard pairs.isEmpty || Double(skipped.count) > data.maxInvalidShare * Double(names.count) else {
      return
    }
    let first = skipped[0]
    throw .data(
      path: data.targets,
      expected: "at most \(data.maxInvalidShare * 100) % of \(names.count) images to be left out",
      found: "\(skipped.count) (the first \(first.name): \(first.reason))")
  }

  /// Reads an image and its partner, or notes why they are left out.
  private mutating func load(_ name: String) throws(TrainingError) {
    let path = "\(data.targets)/\(name)"
    let partner = try partner(of: name)
    let original: Image
    let target: Image
    var small: Image?
    do {
      original = try read(path)
      target = try original.cropped(toMultipleOf: geometry.scale)
      if let partner { small = try read(partner) }
    } catch {
      skipped.append(TrainingSet.Skipped(name: name, reason: "\(error)"))
      return
    }
    if let partner, let small { try check(small, partner, of: original, name) }
    guard geometry.places(along: target.width) > 0, geometry.places(along: target.height) > 0
    else {
      noteTooSmall(name, original)
      return
    }
    try keep(name, target, small)
    try note(path, as: "targets/\(name)")
    if let partner { try note(partner, as: "inputs/\(name)") }
  }

  /// The path of an image's partner; nil where inputs are made of targets.
  private func partner(of name: String) throws(TrainingError) -> String? {
    guard let folder = data.inputs else { return nil }
    guard let found = ImagePartner.name(of: name, scale: geometry.scale, in: folder) else {
      let names = ImagePartner.candidates(name, scale: geometry.scale)
      throw .data(
        path: folder,
        expected: "an image for \(data.targets)/\(name) (\(names.joined(separator: ", ")))",
        found: "none")
    }
    return "\(folder)/\(found)"
  }

  /// An image without alpha: colour under transparency counts as it does in evaluation.
  private func read(_ path: String) throws(ImageError) -> Image {
    var reader = try ImageReader(path: path)
    let header = reader.header
    // At most 2^20 * 2^20 * 4: no overflow.
    guard header.width * header.height * header.format.channels <= ImageLoading.largestImage
    else {
      throw .tooLarge(
        path: path, width: header.width, height: header.height, channels: header.format.channels,
        limit: "at most 2^28 samples")
    }
    return try reader.readAll().opaque
  }

  /// Throws unless the input is the target over the scale.
  private func check(
    _ small: Image, _ path: String, of original: Image, _ name: String
  ) throws(TrainingError) {
    let scale = geometry.scale
    let (width, height) = (original.width / scale, original.height / scale)
    guard small.width == width, small.height == height else {
      throw .data(
        path: path,
        expected: "\(width)x\(height) (\(name) is \(original.width)x\(original.height), "
          + "the scale \(scale))",
        found: "\(small.width)x\(small.height)")
    }
  }

  private mutating func noteTooSmall(_ name: String, _ image: Image) {
    let side = geometry.minimumSide
    skipped.append(
      TrainingSet.Skipped(
        name: name,
        reason: "expected at least \(side)x\(side) pixels, found \(image.width)x\(image.height)"))
    tooSmall += 1
    if image.width * image.height > (largest.map { $0.width * $0.height } ?? -1) {
      largest = (name, image.width, image.height)
    }
  }

  /// Stores an image and what is given for it, 8 bits a sample.
  private mutating func keep(
    _ name: String, _ target: Image, _ small: Image?
  ) throws(TrainingError) {
    do {
      var (target, small) = (target, small)
      if let found = small, found.format.color != target.format.color {
        // A gray image beside a coloured one is coloured too: luma of the two must mean the same.
        target = try target.converted(to: .rgb)
        small = try found.converted(to: .rgb)
      }
      let stored = StoredImage(target)
      var input = stored
      if let small {
        input = StoredImage(small)
      } else if geometry.scale > 1 {
        // As `Evaluation` makes them.
        let factor = try ScaleFactor(1, over: geometry.scale)
        input = StoredImage(try Resampling(rounding: .eight).resize(target, by: factor))
      }
      pairs.append(ImagePair(name: name, target: stored, input: input))
      byteCount += stored.byteCount + input.byteCount
    } catch {
      throw .data(path: "\(data.targets)/\(name)", expected: "an image", found: "\(error)")
    }
    guard byteCount <= memoryLimit else {
      throw .data(
        path: data.targets, expected: "images of at most \(memoryLimit) bytes in memory",
        found: "more from \(name) on")
    }
  }

  /// Takes a file into the fingerprint.
  private mutating func note(_ path: String, as name: String) throws(TrainingError) {
    do {
      digests += "\(try InputFile(weights: path).sha256())  \(name)\n"
    } catch {
      throw .data(path: path, expected: "a file that can be read", found: "\(error)")
    }
  }
}
