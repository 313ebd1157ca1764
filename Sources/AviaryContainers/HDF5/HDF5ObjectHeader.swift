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
