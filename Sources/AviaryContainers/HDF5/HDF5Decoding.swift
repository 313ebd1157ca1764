import AviaryHDF5

/// Reads an `HDF5Answer` from front to back; what it does not have is an error, whatever it says.
struct HDF5AnswerCursor {
  private let bytes: [UInt8]
  private let path: String
  private var position = 0

  /// - Parameter path: the HDF5 file, for messages.
  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The bytes that follow.
  var remaining: Int { bytes.count - position }

  /// Reads what every answer begins with.
  ///
  /// - Throws: `CheckpointError`: what the reader found wrong with the file, or `.readerFailed`.
  mutating func begin() throws(CheckpointError) -> HDF5Answer.Kind {
    guard bytes.starts(with: HDF5Answer.signature) else {
      throw .readerFailed(path: path, reason: "expected an answer of its own kind and version")
    }
    position = HDF5Answer.signature.count
    guard let kind = HDF5Answer.Kind(rawValue: try byte()) else { throw nonsense("the kind") }
    switch kind {
    case .tree, .done: return kind
    case .damaged: throw .damaged(path: path, part: try words(), reason: try words())
    case .unsupported: throw .unsupported(path: path, what: try words())
    case .tooLarge:
      throw .tooLarge(path: path, part: try words(), limit: try size(), found: try size())
    }
  }

  mutating func byte() throws(CheckpointError) -> UInt8 {
    guard remaining > 0 else { throw nonsense("the end") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number() throws(CheckpointError) -> UInt64 { try number(8) }

  /// A number that is a size.
  mutating func size() throws(CheckpointError) -> Int {
    guard let size = Int(exactly: try number(8)) else { throw nonsense("a size") }
    return size
  }

  /// The count of things that take so many bytes each at least.
  mutating func count(of least: Int) throws(CheckpointError) -> Int {
    let count = Int(try number(4))
    guard count <= remaining / least else { throw nonsense("a count") }
    return count
  }

  mutating func text() throws(CheckpointError) -> String {
    let count = try count(of: 1)
    defer { position += count }
    guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
      throw nonsense("a text")
    }
    return text
  }

  /// A text that goes into a message: one line, of a length that can be read.
  private mutating func words() throws(CheckpointError) -> String {
    let text = try text()
    let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
    return String(String.UnicodeScalarView(line.prefix(1000)))
  }

  /// The error for an answer that contradicts itself.
  func nonsense(_ what: String) -> CheckpointError {
    .readerFailed(path: path, reason: "its answer makes no sense at byte \(position), in \(what)")
  }

  private mutating func number(_ count: Int) throws(CheckpointError) -> UInt64 {
    guard remaining >= count else { throw nonsense("the end") }
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(bytes[position + i]) << UInt64(8 * i) }
    position += count
    return value
  }
}

extension HDF5Tree {
  /// Makes a file's groups and data sets of a reader's answer, which is trusted no more than the
  /// file itself.
  struct Decoder {
    private var cursor: HDF5AnswerCursor
    private let path: String
    private let byteCount: Int
    private var objects = 0

    /// - Parameter byteCount: the HDF5 file's size.
    init(_ answer: [UInt8], path: String, byteCount: Int) {
      cursor = HDF5AnswerCursor(answer, path: path)
      self.path = path
      self.byteCount = byteCount
    }

    /// The group that holds everything.
    mutating func root() throws(CheckpointError) -> Group {
      guard try cursor.begin() == .tree else {
        throw .readerFailed(path: path, reason: "expected a tree, found another answer")
      }
      let root = try group("/", depth: 0)
      guard cursor.remaining == 0 else { throw cursor.nonsense("what follows the end") }
      return root
    }

    private mutating func group(_ path: String, depth: Int) throws(CheckpointError) -> Group {
      guard depth <= HDF5Limits.depth else { throw cursor.nonsense("groups inside groups") }
      var group = Group(path: path, attributes: try attributes())
      // A name's length, what it is, and the least that follows.
      let count = try cursor.count(of: 4 + 1 + 8)
      for _ in 0..<count {
        objects += 1
        guard objects <= HDF5Limits.objects(byteCount) else { throw cursor.nonsense("the objects") }
        let name = try cursor.text()
        let isName = !name.isEmpty && !name.contains("/") && !name.contains("\0")
        let follows =
          group.members.last.map { $0.name.utf8.lexicographicallyPrecedes(name.utf8) } ?? true
        guard isName, follows else { throw cursor.nonsense("a name") }
        let place = path == "/" ? "/" + name : path + "/" + name
        switch try cursor.byte() {
        case 0:
          let member = try self.group(place, depth: depth + 1)
          group.members.append((name, .group(member)))
        case 1: group.members.append((name, .dataSet(try dataSet(place))))
        default: throw cursor.nonsense("what an object is")
        }
      }
      return group
    }

    private mutating func dataSet(_ path: String) throws(CheckpointError) -> DataSet {
      let number = objects
      let rank = Int(try cursor.byte())
      var shape: [Int] = []
      // No product of dimensions overflows, whoever computes it.
      var count = 1
      for _ in 0..<rank {
        let dimension = try cursor.size()
        let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
        guard !overflow, product < 1 << 48 else { throw cursor.nonsense("a shape") }
        count = product
        shape.append(dimension)
      }
      guard let kind = HDF5Kind(rawValue: try cursor.byte()) else {
        throw cursor.nonsense("a kind of elements")
      }
      typealias Flags = HDF5Answer.Flags
      let flags = try cursor.byte()
      let (offset, stored) = (try cursor.size(), try cursor.size())
      let hasOffset = flags & Flags.hasOffset != 0
      guard stored <= byteCount, !hasOffset || offset <= byteCount - stored else {
        throw .damaged(
          path: self.path, part: path,
          reason:
            "\(stored) bytes of elements at \(hasOffset ? "byte \(offset)" : "several places")"
            + ", \(byteCount) bytes in the file")
      }
      var dataSet = DataSet(
        path: path, number: number, shape: shape, elementType: kind.elementType,
        offset: hasOffset ? offset : nil, storedByteCount: stored)
      dataSet.isText = kind == .text
      dataSet.isPlain = flags & Flags.isPlain != 0
      dataSet.isFiltered = flags & Flags.isFiltered != 0
      if flags & Flags.hasText != 0 { dataSet.text = try cursor.text() }
      dataSet.attributes = try attributes()
      return dataSet
    }

    private mutating func attributes() throws(CheckpointError) -> [String: HDF5Attribute] {
      var attributes: [String: HDF5Attribute] = [:]
      for _ in 0..<(try cursor.count(of: 4 + 1 + 4)) {
        let name = try cursor.text()
        let value = try attribute()
        guard attributes.updateValue(value, forKey: name) == nil else {
          throw cursor.nonsense("an attribute")
        }
      }
      return attributes
    }

    private mutating func attribute() throws(CheckpointError) -> HDF5Attribute {
      switch HDF5Answer.AttributeKind(rawValue: try cursor.byte()) {
      case .strings:
        var values: [String] = []
        for _ in 0..<(try cursor.count(of: 4)) { values.append(try cursor.text()) }
        return .strings(values)
      case .integers:
        var values: [Int] = []
        for _ in 0..<(try cursor.count(of: 8)) {
          values.append(Int(truncatingIfNeeded: try cursor.number()))
        }
        return .integers(values)
      case .floats:
        var values: [Double] = []
        for _ in 0..<(try cursor.count(of: 8)) {
          values.append(Double(bitPattern: try cursor.number()))
        }
        return .floats(values)
      case nil: throw cursor.nonsense("a kind of attribute")
      }
    }
  }
}

extension CheckpointError {
  /// What is the matter in the HDF5 file at `path`.
  init(_ error: HDF5Error, in path: String) {
    self =
      switch error {
      case .damaged(let part, let reason): .damaged(path: path, part: part, reason: reason)
      case .unsupported(let what): .unsupported(path: path, what: what)
      case .tooLarge(let part, let limit, let found):
        .tooLarge(path: path, part: part, limit: limit, found: found)
      }
  }
}
