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
