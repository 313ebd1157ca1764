import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor

/// The arrays of one `.npy` or `.npz` file, described now and read when asked for.
struct NumPyArrays {
  /// An array and how to read it.
  struct Entry: Sendable {
    /// Its name in the archive, less `.npy`; empty where the file is one array without a name.
    var name: String
    var shape: [Int]
    var elementType: ElementType
    var load: @Sendable () throws(CheckpointError) -> Tensor
  }

  /// More members than any network has parameters.
  private static let memberLimit = 1 << 16

  /// In the file's order.
  let entries: [Entry]

  /// Reads the headers of a file.
  init(_ path: String) throws(CheckpointError) {
    let open = try OpenFile(path)
    let magic = try open.file.read(at: 0, count: min(open.file.byteCount, 4), part: "the beginning")
    entries =
      magic.starts(with: [0x50, 0x4B]) ? try Self.archive(open) : [try Self.single(open)]
  }

  private static func single(_ open: OpenFile) throws(CheckpointError) -> Entry {
    let path = open.file.path, part = "the array"
    let header = try NumPyHeader(path: path, part: part) { (count) throws(CheckpointError) in
      try open.file.read(at: 0, count: min(open.file.byteCount, count), part: part)
    }
    try check(header, byteCount: open.file.byteCount, path: path, part: part)
    return Entry(name: "", shape: header.shape, elementType: header.elementType) {
      () throws(CheckpointError) in
      let bytes = try open.file.read(
        at: header.byteCount, count: header.elementByteCount, part: part)
      return try header.tensor(bytes[...], path: path, part: part)
    }
  }

  private static func archive(_ open: OpenFile) throws(CheckpointError) -> [Entry] {
    let path = open.file.path
    let archive = try ZipArchive(open.file)
    guard archive.entries.count <= memberLimit else {
      throw .tooLarge(
        path: path, part: "members", limit: memberLimit, found: archive.entries.count)
    }
    // Members may be made to share their bytes, which would let a small file describe many.
    var unread = open.file.byteCount
    var entries: [Entry] = []
    for member in archive.entries where member.name.hasSuffix(".npy") {
      let part = member.name
      unread -= member.storedByteCount
      guard unread >= 0 else {
        throw .damaged(path: path, part: part, reason: "the members together exceed the file")
      }
      let header = try NumPyHeader(path: path, part: part) { (count) throws(CheckpointError) in
        try archive.beginning(of: member, in: open.file, count: count)
      }
      try check(header, byteCount: member.byteCount, path: path, part: part)
      entries.append(
        Entry(
          name: String(part.dropLast(4)), shape: header.shape, elementType: header.elementType
        ) { () throws(CheckpointError) in
          let bytes = try archive.content(of: member, in: open.file)
          guard bytes.count == header.byteCount + header.elementByteCount else {
            throw .truncated(
              path: path, part: part, expected: header.byteCount + header.elementByteCount,
              found: bytes.count)
          }
          return try header.tensor(bytes[header.byteCount...], path: path, part: part)
        })
    }
    return entries
  }

  /// Behind the header the elements lie, and nothing else.
  private static func check(
    _ header: NumPyHeader, byteCount: Int, path: String, part: String
  ) throws(CheckpointError) {
    let found = byteCount - header.byteCount
    guard found >= header.elementByteCount else {
      throw .truncated(path: path, part: part, expected: header.elementByteCount, found: found)
    }
    guard found == header.elementByteCount else {
      throw .damaged(
        path: path, part: part,
        reason: "expected \(header.elementByteCount) bytes, found \(found)")
    }
  }
}

extension ZipArchive {
  /// At most the first `count` bytes of a member, without its checksum; no more of the file is read
  /// or unpacked than that takes.
  func beginning(
    of entry: Entry, in file: borrowing InputFile, count: Int
  ) throws(CheckpointError) -> [UInt8] {
    let start =
      try entry.method == 0
      ? contentOffset(of: entry, in: file) : storedOffset(of: entry, in: file)
    guard entry.method == 8 else {
      return try file.read(at: start, count: min(count, entry.byteCount), part: entry.name)
    }
    var unpacking = try ZipUnpacking(entry, path: file.path)
    var content: [UInt8] = []
    var position = 0
    while content.count < count, position < entry.storedByteCount {
      let piece = min(1 << 10, entry.storedByteCount - position)
      try unsafe unpacking.take(
        file.read(at: start + position, count: piece, part: entry.name)
      ) { (bytes) throws(CheckpointError) in unsafe content.append(contentsOf: bytes) }
      position += piece
    }
    return Array(content.prefix(count))
  }
}

/// Tells how arrays without a framework of their own lay out their kernels.
///
/// A bias has one number for each output channel: that is dimension 0 in PyTorch's convolutions
/// (out, in, h, w), 1 in its transposed ones, the last in Keras's (h, w, in, out), the last but one
/// in its transposed ones. Where sizes coincide nothing is told, and PyTorch's layout is assumed.
enum KernelLayout {
  /// Whether the biases fit Keras's layout in every layer and PyTorch's not in all.
  static func isChannelsLast(_ tensors: TensorSource) -> Bool {
    var tells = false
    for kernel in tensors where kernel.shape.count == 4 && kernel.name.hasSuffix(".weight") {
      let layer = kernel.name.dropLast("weight".count)
      guard let bias = tensors[layer + "bias"], bias.shape.count == 1 else { continue }
      let (shape, count) = (kernel.shape, bias.shape[0])
      guard shape[3] == count || shape[2] == count else { return false }
      if shape[0] != count, shape[1] != count { tells = true }
    }
    return tells
  }

  /// What brings a tensor of Keras's layout into PyTorch's: (h, w, in, out) to (out, in, h, w), and
  /// (in, out) to (out, in).
  static func steps(_ tensor: TensorDescription) -> [TensorStep] {
    guard tensor.name.hasSuffix(".weight") else { return [] }
    return switch tensor.shape.count {
    case 4: [.permuted([3, 2, 0, 1])]
    case 2: [.permuted([1, 0])]
    default: []
    }
  }
}

/// A dictionary as Python prints it, of the few kinds of values that a NumPy header has. Nothing is
/// evaluated.
struct PythonDictionary {
  /// A value of the dictionary.
  enum Value: Hashable {
    case bool(Bool)
    case text(String)
    /// A tuple of numbers.
    case integers([Int])
    /// A list, of which nothing more is asked: the fields of records.
    case list
  }

  /// The values by their keys.
  private(set) var members: [String: Value] = [:]
  private var rest: Substring

  /// Reads `{'key': value, …}`; nil for anything else.
  init?(_ text: String) {
    rest = text[...]
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = quoted(), take(":"), let value = value(),
        members.updateValue(value, forKey: key) == nil
      else { return nil }
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipSpace()
    guard rest.isEmpty else { return nil }
  }

  private mutating func value() -> Value? {
    skipSpace()
    if take("True") { return .bool(true) }
    if take("False") { return .bool(false) }
    if let text = quoted() { return .text(text) }
    if take("(") { return integers().map(Value.integers) }
    return skipList() ? .list : nil
  }

  /// What follows an opening parenthesis.
  private mutating func integers() -> [Int]? {
    var numbers: [Int] = []
    while !take(")") {
      skipSpace()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits), numbers.count < 64 else { return nil }
      rest = rest.dropFirst(digits.count)
      // Python 2 marks long integers.
      _ = take("L")
      numbers.append(number)
      if !take(",") { return take(")") ? numbers : nil }
    }
    return numbers
  }

  private mutating func quoted() -> String? {
    skipSpace()
    guard let quote = rest.first, quote == "'" || quote == "\"",
      let end = rest.dropFirst().firstIndex(of: quote)
    else { return nil }
    let text = rest[rest.index(after: rest.startIndex)..<end]
    rest = rest[rest.index(after: end)...]
    // No name or type has an escape.
    return text.contains("\\") ? nil : String(text)
  }

  /// Passes over a list by its brackets.
  private mutating func skipList() -> Bool {
    guard rest.first == "[" else { return false }
    var depth = 0
    for position in rest.indices {
      if rest[position] == "[" { depth += 1 }
      if rest[position] == "]" { depth -= 1 }
      if depth == 0 {
        rest = rest[rest.index(after: position)...]
        return true
      }
    }
    return false
  }

  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(word) else { return false }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\n" } }
}
