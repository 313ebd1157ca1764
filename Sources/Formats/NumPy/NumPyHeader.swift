import AviaryContainers
import AviaryTensor

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
      throw damaged("a NumPy array expected")
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
    else { throw damaged("a header of descr, fortran_order and shape expected") }
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
