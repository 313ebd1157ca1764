import AviaryHDF5

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
        throw .readerFailed(path: path, reason: "a tree expected, another answer found")
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
