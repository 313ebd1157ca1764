import AviaryFiles
import AviaryHDF5
import AviaryTensor

/// The groups, attributes and data sets of an HDF5 file in its oldest and simplest form, which is
/// what checkpoints are written in: read here, without the library, and hence without the program
/// that holds the library.
///
/// Starting that program takes longer than anything else that `aviary list` and `aviary inspect`
/// do. What is read is checked as everywhere; what is not of the simple form, or does not add up,
/// is left to the library, errors too: this either gives what the library would, or nothing.
///
/// The format is that of the "HDF5 File Format Specification Version 3.0", with the superblock of
/// version 0, object headers of version 1 and groups of symbol tables.
struct HDF5Outline {
  /// Something that only the library knows.
  struct Uncommon: Error {}

  private let file: HDF5FileBytes
  private let byteCount: Int
  private var objects = 0
  private var texts = 0

  /// The group that holds everything; nil where the library is needed.
  static func root(of reader: HDF5Reader) -> HDF5Tree.Group? {
    var outline = HDF5Outline(HDF5FileBytes(reader))
    return try? outline.root()
  }

  private init(_ file: HDF5FileBytes) {
    self.file = file
    byteCount = file.byteCount
  }

  /// From the superblock on.
  private mutating func root() throws(Uncommon) -> HDF5Tree.Group {
    let block = try file.block(at: 0, count: 96)
    // Versions of five structures, and sizes of 8 bytes for offsets and lengths.
    let start: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0, 0, 8, 8]
    guard block.bytes.starts(with: start), try block.number(24, 8) == 0,
      try block.number(40, 8) <= byteCount, block.isUndefined(48)
    else { throw Uncommon() }
    let header = try HDF5ObjectHeader(at: try block.number(64, 8), in: file)
    return try group(header, "/", depth: 0)
  }

  private mutating func group(
    _ header: HDF5ObjectHeader, _ path: String, depth: Int
  ) throws(Uncommon) -> HDF5Tree.Group {
    guard depth <= HDF5Limits.depth, let table = header[.symbolTable] else { throw Uncommon() }
    var group = HDF5Tree.Group(path: path, attributes: try attributes(header))
    let links = try HDF5Links(
      tree: try table.number(0, 8), heap: try table.number(8, 8), in: file)
    for (name, place) in links.members {
      objects += 1
      guard objects <= HDF5Limits.objects(byteCount) else { throw Uncommon() }
      let path = path == "/" ? "/" + name : path + "/" + name
      let header = try HDF5ObjectHeader(at: place, in: file)
      if header[.symbolTable] != nil {
        let member = try self.group(header, path, depth: depth + 1)
        group.members.append((name, .group(member)))
      } else {
        group.members.append((name, .dataSet(try dataSet(header, path))))
      }
    }
    return group
  }

  /// A data set whose elements lie in one piece.
  private mutating func dataSet(
    _ header: HDF5ObjectHeader, _ path: String
  ) throws(Uncommon) -> HDF5Tree.DataSet {
    guard let layout = header[.layout], let type = header[.type], let space = header[.space],
      // Version 3, in one piece.
      layout.bytes.starts(with: [3, 1])
    else { throw Uncommon() }
    let number = objects
    let (kind, shape) = (try HDF5Scalar(type), try HDF5Shape(space))
    let stored = try layout.number(10, 8)
    let (expected, overflow) = shape.count.multipliedReportingOverflow(by: kind.byteCount)
    guard !overflow, stored == expected, stored <= byteCount else { throw Uncommon() }
    // Elements that were never written are at no place that a number holds; of none that is all
    // right.
    let offset = stored == 0 && layout.isUndefined(2) ? nil : try layout.number(2, 8)
    guard offset.map({ $0 > 0 && $0 <= byteCount - stored }) ?? true else { throw Uncommon() }
    var dataSet = HDF5Tree.DataSet(
      path: path, number: number, shape: shape.dimensions, elementType: kind.elementType,
      offset: offset, storedByteCount: stored)
    if case .text = kind {
      dataSet.isText = true
      if shape.dimensions.allSatisfy({ $0 == 1 }) {
        try count(text: stored)
        dataSet.text = try kind.strings(
          try file.block(at: offset ?? 0, count: stored), at: 0, count: 1)[0]
      }
    } else {
      dataSet.isPlain = true
    }
    dataSet.attributes = try attributes(header)
    return dataSet
  }

  private mutating func attributes(
    _ header: HDF5ObjectHeader
  ) throws(Uncommon) -> [String: HDF5Attribute] {
    var attributes: [String: HDF5Attribute] = [:]
    for message in header.attributes {
      try count(text: message.bytes.count)
      let attribute = try HDF5AttributeMessage(message)
      guard attributes.updateValue(attribute.value, forKey: attribute.name) == nil else {
        throw Uncommon()
      }
    }
    return attributes
  }

  /// Counts what is kept; the library's walk has the same limit.
  private mutating func count(text byteCount: Int) throws(Uncommon) {
    texts += byteCount
    guard byteCount <= HDF5Limits.text, texts <= HDF5Limits.texts else { throw Uncommon() }
  }
}

/// What an HDF5 file says of one group or data set: a list of messages.
struct HDF5ObjectHeader {
  /// The messages that are read. Of all others those that change nothing are passed over, and those
  /// that are not known are left to the library.
  enum Kind: Int {
    case space = 0x01
    case type = 0x03
    case layout = 0x08
    case attribute = 0x0C
    case more = 0x10
    case symbolTable = 0x11
  }

  /// Nothing, the values of elements that were never written, comments of the time of change.
  private static let passedOver: Set<Int> = [0x00, 0x04, 0x05, 0x0E, 0x12]

  private var messages: [Kind: HDF5Block] = [:]
  /// The messages of attributes.
  private(set) var attributes: [HDF5Block] = []

  subscript(kind: Kind) -> HDF5Block? { messages[kind] }

  init(
    at offset: Int, in file: HDF5FileBytes
  ) throws(HDF5Outline.Uncommon) {
    let prefix = try file.block(at: offset, count: 16)
    guard prefix.bytes.starts(with: [1, 0]) else { throw HDF5Outline.Uncommon() }
    var left = try prefix.number(2, 2)
    var blocks = [try file.block(at: offset + 16, count: try prefix.number(8, 4))]
    while let block = blocks.popLast() {
      var place = 0
      while left > 0, block.bytes.count - place >= 8 {
        let (type, count) = (try block.number(place, 2), try block.number(place + 2, 2))
        // Bit 1: the message is elsewhere; 2 and above: what to do with those that are not known.
        guard try block.number(place + 4, 1) & ~5 == 0 else { throw HDF5Outline.Uncommon() }
        let message = try block.part(place + 8, count)
        place += 8 + count
        left -= 1
        if Self.passedOver.contains(type) { continue }
        switch Kind(rawValue: type) {
        case nil: throw HDF5Outline.Uncommon()
        case .more:
          // One at a time: the order of messages is of no importance.
          let (offset, count) = (try message.number(0, 8), try message.number(8, 8))
          blocks.insert(try file.block(at: offset, count: count), at: 0)
        case .attribute: attributes.append(message)
        case .some(let kind):
          guard messages.updateValue(message, forKey: kind) == nil else {
            throw HDF5Outline.Uncommon()
          }
        }
      }
    }
    guard left == 0 else { throw HDF5Outline.Uncommon() }
  }
}

/// A name and a value in the header of an HDF5 object.
struct HDF5AttributeMessage {
  let name: String
  let value: HDF5Attribute

  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let version = try message.number(0, 1)
    // The flags of later versions: type or dimensions are elsewhere.
    guard (1...3).contains(version), try message.number(1, 1) == 0 else {
      throw HDF5Outline.Uncommon()
    }
    // Version 1 pads each part to 8 bytes; version 3 says how the name is encoded.
    var place = version == 3 ? 9 : 8
    func next(_ field: Int) throws(HDF5Outline.Uncommon) -> HDF5Block {
      let count = try message.number(field, 2)
      defer { place += version == 1 ? (count + 7) / 8 * 8 : count }
      return try message.part(place, count)
    }
    let text = try next(2)
    let scalar = try HDF5Scalar(try next(4))
    let shape = try HDF5Shape(try next(6))
    name = try text.text(0)
    let (byteCount, overflow) = shape.count.multipliedReportingOverflow(by: scalar.byteCount)
    guard !overflow else { throw HDF5Outline.Uncommon() }
    value = try HDF5Attribute(try message.part(place, byteCount), scalar, count: shape.count)
  }
}

extension HDF5Attribute {
  fileprivate init(
    _ block: HDF5Block, _ scalar: HDF5Scalar, count: Int
  ) throws(HDF5Outline.Uncommon) {
    guard case .number(let type) = scalar else {
      self = .strings(try scalar.strings(block, at: 0, count: count))
      return
    }
    let size = type.byteCount
    var integers: [Int] = []
    var floats: [Double] = []
    for i in 0..<count {
      var bits: UInt64 = 0
      for byte in try block.part(i * size, size).bytes.reversed() {
        bits = bits << 8 | UInt64(byte)
      }
      switch type {
      case .int8: integers.append(Int(Int8(truncatingIfNeeded: bits)))
      case .int16: integers.append(Int(Int16(truncatingIfNeeded: bits)))
      case .int32: integers.append(Int(Int32(truncatingIfNeeded: bits)))
      case .int64: integers.append(Int(truncatingIfNeeded: bits))
      case .uint8, .uint16, .uint32: integers.append(Int(bits))
      case .float32: floats.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
      case .float64: floats.append(Double(bitPattern: bits))
      default: throw HDF5Outline.Uncommon()
      }
    }
    self = type == .float32 || type == .float64 ? .floats(floats) : .integers(integers)
  }
}

/// The members of a group of an HDF5 file, from the tree of its symbol table: names, and where the
/// members' headers are.
struct HDF5Links {
  /// Sorted by the bytes of the names.
  private(set) var members: [(name: String, header: Int)] = []

  init(
    tree: Int, heap: Int, in file: HDF5FileBytes
  ) throws(HDF5Outline.Uncommon) {
    let head = try file.block(at: heap, count: 32)
    guard head.bytes.starts(with: Array("HEAP".utf8) + [0]) else { throw HDF5Outline.Uncommon() }
    let names = try file.block(
      at: try head.number(24, 8), count: try head.number(8, 8))
    try add(node: tree, below: nil, names, file)
  }

  /// - Parameter level: of the node above, so that no tree is a circle.
  private mutating func add(
    node: Int, below level: Int?, _ names: HDF5Block, _ file: HDF5FileBytes
  ) throws(HDF5Outline.Uncommon) {
    let head = try file.block(at: node, count: 24)
    let (own, count) = (try head.number(5, 1), try head.number(6, 2))
    guard head.bytes.starts(with: Array("TREE".utf8) + [0]), own == (level ?? own + 1) - 1 else {
      throw HDF5Outline.Uncommon()
    }
    // A key before each place, and one after the last.
    let places = try file.block(at: node + 24, count: 16 * count + 8)
    for i in 0..<count {
      let place = try places.number(16 * i + 8, 8)
      if own > 0 {
        try add(node: place, below: own, names, file)
      } else {
        try add(symbols: place, names, file)
      }
    }
  }

  private mutating func add(
    symbols: Int, _ names: HDF5Block, _ file: HDF5FileBytes
  ) throws(HDF5Outline.Uncommon) {
    let head = try file.block(at: symbols, count: 8)
    guard head.bytes.starts(with: Array("SNOD".utf8) + [1]) else { throw HDF5Outline.Uncommon() }
    let count = try head.number(6, 2)
    let entries = try file.block(at: symbols + 8, count: 40 * count)
    for i in 0..<count {
      let entry = try entries.part(40 * i, 40)
      let name = try names.text(try entry.number(0, 8))
      let follows =
        members.last.map { $0.name.utf8.lexicographicallyPrecedes(name.utf8) } ?? true
      // 0 or 1: a member of this file; 2: a link by name.
      guard follows, !name.isEmpty, !name.contains("/"), try entry.number(16, 4) <= 1 else {
        throw HDF5Outline.Uncommon()
      }
      members.append((name, try entry.number(8, 8)))
    }
  }
}
