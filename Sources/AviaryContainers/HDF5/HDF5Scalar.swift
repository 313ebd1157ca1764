import AviaryTensor

/// One element of a data set or attribute: a little-endian number or a text of fixed length.
enum HDF5Scalar {
  case number(ElementType)
  case text(byteCount: Int, padsWithSpaces: Bool)

  /// Reads a message of a type, up to version 3, which these types look the same in.
  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let head = try message.number(0, 1)
    guard (1...3).contains(head >> 4) else { throw HDF5Outline.Uncommon() }
    let size = try message.number(4, 4)
    let bits = try message.part(1, 3).bytes
    switch head & 15 {
    case 0:
      // No bits beside those of the number, little-endian.
      guard try message.number(8, 2) == 0, try message.number(10, 2) == 8 * size,
        let first = bits.first, first & ~8 == 0, bits.dropFirst().allSatisfy({ $0 == 0 })
      else { throw HDF5Outline.Uncommon() }
      switch (size, first == 8) {
      case (1, true): self = .number(.int8)
      case (2, true): self = .number(.int16)
      case (4, true): self = .number(.int32)
      case (8, true): self = .number(.int64)
      case (1, false): self = .number(.uint8)
      case (2, false): self = .number(.uint16)
      case (4, false): self = .number(.uint32)
      case (8, false): self = .number(.uint64)
      default: throw HDF5Outline.Uncommon()
      }
    case 1:
      // An implied first bit of 1 and the place of the sign; then the bits' number, the places and
      // numbers of those of exponent and fraction, and the exponent's bias: IEEE 754's.
      let fields = Array(bits) + Array(try message.part(8, 12).bytes)
      switch fields {
      case [0x20, 15, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]: self = .number(.float16)
      case [0x20, 31, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]: self = .number(.float32)
      case [0x20, 63, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]: self = .number(.float64)
      default: throw HDF5Outline.Uncommon()
      }
      guard size == byteCount else { throw HDF5Outline.Uncommon() }
    case 3:
      guard let first = bits.first, first & 15 <= 2, first >> 4 <= 1, size > 0 else {
        throw HDF5Outline.Uncommon()
      }
      self = .text(byteCount: size, padsWithSpaces: first & 15 == 2)
    default: throw HDF5Outline.Uncommon()
    }
  }

  /// The bytes of one.
  var byteCount: Int {
    switch self {
    case .number(let type): type.byteCount
    case .text(let byteCount, _): byteCount
    }
  }

  /// What tensors' elements are; nil for text.
  var elementType: ElementType? {
    if case .number(let type) = self { type } else { nil }
  }

  /// So many texts.
  func strings(
    _ block: HDF5Block, at offset: Int, count: Int
  ) throws(HDF5Outline.Uncommon) -> [String] {
    guard case .text(let size, let padsWithSpaces) = self else { throw HDF5Outline.Uncommon() }
    var strings: [String] = []
    for i in 0..<count {
      var text = try block.part(offset + i * size, size).bytes.prefix { $0 != 0 }
      if padsWithSpaces { while text.last == 0x20 { text.removeLast() } }
      strings.append(String(decoding: text, as: UTF8.self))
    }
    return strings
  }
}
