import AviaryFiles
import AviaryHDF5

/// The groups, attributes and data sets of an HDF5 file in its oldest and simplest form, which is
/// what checkpoints are written in: read here, without the library, and hence without the program
/// that holds the library.
///
/// Starting that program takes longer than anything else that `aviary list` and `aviary inspect` do.
/// What is read is checked as everywhere; what is not of the simple form, or does not add up, is
/// left to the library, errors too: this either gives what the library would, or nothing.
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
    // Elements that were never written are at no place that a number holds; of none that is all right.
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
