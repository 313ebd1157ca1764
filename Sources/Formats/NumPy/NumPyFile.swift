import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor
import FoundationEssentials

/// Weights kept as NumPy arrays: one `.npy`, an `.npz` archive, or a folder of either.
enum NumPyFile {
  /// More files than any folder of weights has.
  private static let fileLimit = 4096

  /// Describes the array or arrays of one file.
  static func read(_ path: String, _ format: FileFormat) throws(CheckpointError) -> WeightsFile {
    try weights(
      try NumPyArrays(path).entries.map { array in
        let stored = array.name.isEmpty ? stem(path) : array.name
        return (name(file: stem(path), array: array.name), stored, array)
      },
      path: path, format: format)
  }

  /// Describes the arrays of all `.npy` and `.npz` files that lie directly in a folder.
  static func read(folder path: String) throws(CheckpointError) -> WeightsFile {
    var entries: [(name: String, stored: String, array: NumPyArrays.Entry)] = []
    for file in try files(in: path) {
      let arrays = try NumPyArrays(path + "/" + file).entries
      for array in arrays {
        let stem = stem(file)
        // An array without a name of its own is named by its file, others within it.
        let isAlone = arrays.count == 1 && ["", "arr_0", stem].contains(array.name)
        let stored = isAlone ? stem : stem + "/" + array.name
        entries.append((name(file: "", array: stored), stored, array))
      }
    }
    return try weights(entries, path: path, format: .numPyFolder)
  }

  /// Whether a path is a folder with arrays in it.
  static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else {
      return false
    }
    return (try? files(in: path))?.isEmpty == false
  }

  /// The names of the arrays' files in a folder, sorted by their bytes.
  static func files(in folder: String) throws(CheckpointError) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .cannotRead(path: folder, reason: "its names cannot be listed")
    }
    let files = names.filter { name in
      !name.hasPrefix(".") && (name.hasSuffix(".npy") || name.hasSuffix(".npz"))
    }
    guard files.count <= fileLimit else {
      throw .tooLarge(path: folder, part: "files", limit: fileLimit, found: files.count)
    }
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

// MARK: - Names and layout

extension NumPyFile {
  private static func weights(
    _ entries: [(name: String, stored: String, array: NumPyArrays.Entry)], path: String,
    format: FileFormat
  ) throws(CheckpointError) -> WeightsFile {
    guard !entries.isEmpty else { throw .noTensors(path: path, found: "no arrays") }
    let descriptions = entries.map { name, stored, array in
      TensorDescription(
        name: name, shape: array.shape, elementType: array.elementType, storedName: stored,
        isNonPersistent: TensorNames.isNonPersistent(name))
    }
    if let twice = Dictionary(grouping: descriptions, by: \.name).first(where: { $1.count > 1 }) {
      throw .damaged(path: path, part: twice.key, reason: "two arrays become this name")
    }
    let arrays = entries.map(\.array)
    var unwrapping = Unwrapping()
    var tensors = TensorNames.unwrap(
      TensorSource(descriptions) { (position) throws(CheckpointError) in
        try arrays[position].load()
      }, &unwrapping)
    if KernelLayout.isChannelsLast(tensors) {
      unwrapping.notes.append(
        "kernels are laid out (height, width, in, out): the biases fit no other order; transposed")
      do {
        tensors = try tensors.changed { KernelLayout.steps($0) }
      } catch {
        throw .damaged(path: path, part: "the kernels", reason: error.description)
      }
    }
    return WeightsFile(
      path: path, format: format, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.arrays))
  }

  /// The name of a parameter: that of the array, or of the file where the array has none.
  private static func name(file: String, array: String) -> String {
    let name = array.isEmpty || array == "arr_0" && !file.isEmpty ? file : array
    let dotted = name.split(separator: "/").joined(separator: ".")
    for (suffix, parameter) in suffixes where dotted.hasSuffix(suffix) {
      // conv1_w and conv1_b, as those write who number layers by hand; conv1/W and conv1/b of Chainer.
      let layer = dotted.dropLast(suffix.count)
      if !layer.isEmpty { return layer + parameter }
    }
    return dotted
  }

  private static let suffixes = [
    ("_weights", ".weight"), ("_weight", ".weight"), ("_kernel", ".weight"), ("_w", ".weight"),
    ("_W", ".weight"), (".W", ".weight"), (".b", ".bias"), ("_biases", ".bias"), ("_bias", ".bias"),
    ("_b", ".bias"), ("_B", ".bias"),
  ]

  /// A file's name without its folder and its extension.
  private static func stem(_ path: String) -> String {
    let name = path.fileName
    return name.hasSuffix(".npy") || name.hasSuffix(".npz") ? String(name.dropLast(4)) : name
  }
}

/// What stands before the elements of a `.npy` file: a magic, a version, and a dictionary as Python
/// writes it (numpy/lib/format.py).
struct NumPyHeader {
  /// The dimensions as NumPy shows them.
  var shape: [Int]
  /// What the elements are.
  var elementType: ElementType
  /// Whether the highest byte of each element comes first.
  var isBigEndian: Bool
  /// Whether the first dimension varies fastest.
  var isFortranOrder: Bool
  /// Where the elements begin.
  var byteCount: Int

  /// Bytes of a dictionary, which NumPy pads to a multiple of 64: far more than three members take,
  /// and what nearly all headers fit in.
  private static let (limit, customary) = (65_536, 1024)

  /// The bytes that the elements take.
  var elementByteCount: Int { Tensor.byteCount(shape, elementType) ?? .max }

  /// Reads the header at the beginning of a file or member.
  ///
  /// - Parameters:
  ///   - part: which array it is, for messages.
  ///   - beginning: gives the first so many bytes, or all where there are fewer.
  /// - Throws: `CheckpointError.unsupported` for arrays of objects, records, text and complex
  ///   numbers, `.damaged` and `.truncated`.
  init(
    path: String, part: String, _ beginning: (Int) throws(CheckpointError) -> [UInt8]
  ) throws(CheckpointError) {
    var bytes = try beginning(Self.customary)
    // A header ends in a line feed, the only one in it.
    if bytes.count == Self.customary, !bytes[12...].contains(0x0A) {
      bytes = try beginning(12 + Self.limit)
    }
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(path: path, part: part, reason: reason)
    }
    var cursor = ByteCursor(bytes, path: path, part: part)
    guard try bytes[cursor.range(6)] == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59] else {
      throw damaged("expected a NumPy array")
    }
    let version = try cursor.byte()
    _ = try cursor.byte()
    guard (1...3).contains(version) else {
      throw .unsupported(path: path, what: "\(part): version \(version) of NumPy's format")
    }
    let length = try cursor.size(bytes: version == 1 ? 2 : 4)
    guard length <= Self.limit else {
      throw .tooLarge(
        path: path, part: "\(part): the header, bytes", limit: Self.limit, found: length)
    }
    guard let text = try cursor.text(length), let members = PythonDictionary(text)?.members,
      Set(members.keys) == ["descr", "fortran_order", "shape"],
      case .bool(let fortran)? = members["fortran_order"],
      case .integers(let shape)? = members["shape"]
    else { throw damaged("expected a header of descr, fortran_order and shape") }
    guard case .text(let type)? = members["descr"] else {
      throw .unsupported(path: path, what: "\(part): an array of records")
    }
    if type.contains("O") {
      throw .unsupported(
        path: path, what: "\(part): an array of Python objects, which is a pickle and no numbers,")
    }
    guard let (elementType, isBigEndian) = Self.elementType(type) else {
      throw .unsupported(path: path, what: "\(part): an array of element type \(type)")
    }
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= 64,
      Tensor.byteCount(shape, elementType) != nil
    else { throw damaged("shape \(shape) overflows") }
    self.shape = shape
    self.elementType = elementType
    self.isBigEndian = isBigEndian
    isFortranOrder = fortran
    byteCount = cursor.position
  }

  /// Reads a type such as `<f4`.
  static func elementType(_ text: String) -> (type: ElementType, isBigEndian: Bool)? {
    var code = Substring(text)
    let order = code.first.flatMap { "<>|=".contains($0) ? $0 : nil }
    if order != nil { code = code.dropFirst() }
    guard let type = types[String(code)] else { return nil }
    return (type, order == ">" && type.byteCount > 1)
  }

  private static let types: [String: ElementType] = [
    "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "i4": .int32,
    "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "b1": .bool,
    "?": .bool,
  ]

  /// The elements, in row-major order whatever the file's.
  ///
  /// - Parameter bytes: exactly the elements.
  func tensor(
    _ bytes: ArraySlice<UInt8>, path: String, part: String
  ) throws(CheckpointError) -> Tensor {
    let stored = try Tensor(
      shape: isFortranOrder ? shape.reversed() : shape, elementType: elementType, bytes: bytes,
      isBigEndian: isBigEndian, path: path, part: part)
    guard isFortranOrder, shape.count > 1 else { return stored }
    do {
      return try stored.permuted(Array(shape.indices.reversed()))
    } catch {
      throw .damaged(path: path, part: part, reason: error.description)
    }
  }
}
