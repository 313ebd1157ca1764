/// Writes a pickle of protocol 2: the opcodes that a state dict needs and no others, so that
/// `torch.load` takes it with its defaults (torch/_weights_only_unpickler.py).
package struct PickleWriter {
  package private(set) var bytes: [UInt8] = []

  /// The beginning of a pickle.
  package init() {
    put(.protocolVersion)
    bytes.append(2)
  }

  /// Appends an opcode.
  package mutating func put(_ opcode: PickleOpcode) { bytes.append(opcode.rawValue) }

  /// Pushes text.
  package mutating func text(_ text: String) {
    put(.unicode)
    let utf8 = Array(text.utf8)
    number(utf8.count, bytes: 4)
    bytes += utf8
  }

  /// Pushes a number of 0 or more.
  package mutating func integer(_ value: Int) {
    switch value {
    case 0..<0x100:
      put(.integer1)
      number(value, bytes: 1)
    case 0x100..<0x1_0000:
      put(.integer2)
      number(value, bytes: 2)
    case 0x1_0000..<0x8000_0000:
      put(.integer)
      number(value, bytes: 4)
    default:
      // Two's complement of eight bytes.
      put(.long1)
      bytes.append(8)
      number(value, bytes: 8)
    }
  }

  /// Pushes a float64.
  package mutating func float(_ value: Double) {
    put(.float)
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (56 - 8 * $0)) }
  }

  /// Pushes what a module of Python calls by a name.
  package mutating func global(_ module: String, _ name: String) {
    put(.global)
    bytes += Array("\(module)\n\(name)\n".utf8)
  }

  /// Pushes a tuple of numbers.
  package mutating func tuple(_ numbers: [Int]) {
    put(.mark)
    for number in numbers { integer(number) }
    put(.tuple)
  }

  /// Pushes an empty dictionary that keeps its order.
  package mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    put(.emptyTuple)
    put(.reduce)
  }

  private mutating func number(_ value: Int, bytes count: Int) {
    for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
  }
}
