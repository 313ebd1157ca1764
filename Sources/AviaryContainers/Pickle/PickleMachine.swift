/// Reads a Python pickle as data.
///
/// A pickle is a program for a stack machine that may name any function and have it called. This
/// machine has no way to call anything: a name becomes a name, a call becomes an object that
/// records it. Every opcode takes constant time, or time proportional to the bytes or values it
/// consumes, so that reading is linear in the pickle's size; no size in the pickle takes memory
/// before the bytes are known to be there.
package struct PickleMachine {
  /// More opcodes than any file of weights has: a few hundred megabytes of values at worst.
  private static let opcodeLimit = 2_000_000

  package private(set) var cursor: ByteCursor
  package private(set) var heap = PickleHeap()
  private var stack: [PickleValue] = []
  /// The stack's height at each open mark.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  package init(_ cursor: ByteCursor) { self.cursor = cursor }

  /// Reads the pickle at the cursor and leaves the cursor behind it.
  ///
  /// - Throws: `CheckpointError`: `.refused` for a name that only an attack needs, `.damaged`,
  ///   `.truncated`, `.tooLarge`, or `.unsupported` for opcodes outside `PickleOpcode`.
  package mutating func run() throws(CheckpointError) -> PickleValue {
    for _ in 0..<Self.opcodeLimit {
      let code = try cursor.byte()
      guard let opcode = PickleOpcode(rawValue: code) else {
        let number = String(code, radix: 16)
        throw .unsupported(path: cursor.path, what: "\(cursor.part): pickle opcode 0x\(number)")
      }
      if opcode == .stop {
        let result = try pop()
        (stack, marks, memo) = ([], [], [:])
        return result
      }
      try step(opcode)
    }
    throw .tooLarge(
      path: cursor.path, part: "\(cursor.part), opcodes", limit: Self.opcodeLimit,
      found: Self.opcodeLimit + 1)
  }

  private mutating func step(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .stop: break
    case .protocolVersion:
      let version = try cursor.byte()
      guard version <= 5 else {
        throw .unsupported(path: cursor.path, what: "pickle protocol \(version)")
      }
    case .frame: _ = try cursor.number(bytes: 8)
    case .none, .newTrue, .newFalse, .integer, .integer1, .integer2, .float, .long1, .long4,
      .string, .shortString, .unicode, .shortUnicode, .unicode8, .bytes, .shortBytes, .bytes8,
      .byteArray8:
      stack.append(try literal(opcode))
    case .mark: marks.append(stack.count)
    case .pop:
      // On an empty part of the stack, Python's own machine closes the mark.
      if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .duplicate: stack.append(try top())
    case .emptyTuple: push(.tuple([]))
    case .tuple1: push(.tuple(try popLast(1)))
    case .tuple2: push(.tuple(try popLast(2)))
    case .tuple3: push(.tuple(try popLast(3)))
    case .tuple: push(.tuple(try popToMark()))
    case .emptyList: push(.list(parts: heap.keep([])))
    case .list: push(.list(parts: heap.keep(try popToMark())))
    case .emptySet: push(.set(parts: heap.keep([])))
    case .frozenSet: push(.set(parts: heap.keep(try popToMark())))
    case .emptyDictionary: try dictionary([])
    case .dictionary: try dictionary(try popToMark())
    case .append: try append([try pop()])
    case .appends, .addItems: try append(try popToMark())
    case .setItem: try set(try popLast(2))
    case .setItems: try set(try popToMark())
    case .get: stack.append(try recall(Int(try cursor.byte())))
    case .longGet: stack.append(try recall(try cursor.size(bytes: 4)))
    case .put: memo[Int(try cursor.byte())] = try top()
    case .longPut: memo[try cursor.size(bytes: 4)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .global: push(.global(try name(module: try cursor.line(), name: try cursor.line())))
    case .stackGlobal: try stackGlobal()
    case .persistent: push(.persistent(try pop()))
    case .reduce, .newObject:
      let parts = try popLast(2)
      push(.object(PickleObject(callable: parts[0], arguments: parts[1])))
    case .newObjectKeywords:
      let parts = try popLast(3)
      push(.object(PickleObject(callable: parts[0], arguments: parts[1])))
    case .object:
      let parts = try popToMark()
      guard let callable = parts.first else { throw damaged("expected a class") }
      let arguments = heap.add(.tuple(Array(parts.dropFirst())))
      push(.object(PickleObject(callable: callable, arguments: arguments)))
    case .instance:
      let callable = heap.add(
        .global(try name(module: try cursor.line(), name: try cursor.line())))
      let arguments = heap.add(.tuple(try popToMark()))
      push(.object(PickleObject(callable: callable, arguments: arguments)))
    case .build:
      let state = try pop()
      heap.build(try top(), state: state)
    }
  }
}

// MARK: - Literals and names

extension PickleMachine {
  private mutating func literal(_ opcode: PickleOpcode) throws(CheckpointError) -> PickleValue {
    switch opcode {
    case .newTrue: .bool(true)
    case .newFalse: .bool(false)
    case .integer: .integer(Int(Int32(truncatingIfNeeded: try cursor.number(bytes: 4))))
    case .integer1: .integer(try cursor.size(bytes: 1))
    case .integer2: .integer(try cursor.size(bytes: 2))
    case .float: .float(Double(bitPattern: try cursor.number(bytes: 8).byteSwapped))
    case .long1: try long(byteCount: try cursor.size(bytes: 1))
    case .long4: try long(byteCount: try cursor.size(bytes: 4))
    case .unicode: try text(try cursor.size(bytes: 4))
    case .shortUnicode: try text(try cursor.size(bytes: 1))
    case .unicode8: try text(try cursor.size(bytes: 8))
    // Strings of Python 2 hold text and bytes alike; what is no text is kept as bytes.
    case .string: try textOrBytes(try cursor.size(bytes: 4))
    case .shortString: try textOrBytes(try cursor.size(bytes: 1))
    case .bytes: try bytes(try cursor.size(bytes: 4))
    case .shortBytes: try bytes(try cursor.size(bytes: 1))
    case .bytes8, .byteArray8: try bytes(try cursor.size(bytes: 8))
    default: .none
    }
  }

  /// A two's complement little-endian integer.
  private mutating func long(byteCount: Int) throws(CheckpointError) -> PickleValue {
    let range = try cursor.range(byteCount)
    guard byteCount <= 8 else { return heap.add(.largeInteger) }
    let isNegative = range.last.map { cursor.bytes[$0] >= 0x80 } ?? false
    var value: UInt64 = isNegative ? .max : 0
    for i in range.reversed() { value = value << 8 | UInt64(cursor.bytes[i]) }
    return .integer(Int(Int64(bitPattern: value)))
  }

  private mutating func text(_ count: Int) throws(CheckpointError) -> PickleValue {
    guard let text = try cursor.text(count) else { throw damaged("expected text in UTF-8") }
    return heap.add(.text(text))
  }

  private mutating func textOrBytes(_ count: Int) throws(CheckpointError) -> PickleValue {
    let range = try cursor.range(count)
    if let text = String(validating: cursor.bytes[range], as: UTF8.self) {
      return heap.add(.text(text))
    }
    return heap.add(.bytes(Array(cursor.bytes[range])))
  }

  private mutating func bytes(_ count: Int) throws(CheckpointError) -> PickleValue {
    heap.add(.bytes(Array(cursor.bytes[try cursor.range(count)])))
  }

  private func name(module: String, name: String) throws(CheckpointError) -> String {
    let full = module + "." + name
    if PickleNames.isDangerous(module: module, name: name) {
      throw .refused(path: cursor.path, name: full)
    }
    return full
  }

  private mutating func stackGlobal() throws(CheckpointError) {
    let parts = try popLast(2)
    guard let module = heap.text(parts[0]), let last = heap.text(parts[1]) else {
      throw damaged("expected the names of a module and of something in it")
    }
    push(.global(try name(module: module, name: last)))
  }
}

// MARK: - Stack and containers

extension PickleMachine {
  private mutating func push(_ node: PickleNode) { stack.append(heap.add(node)) }

  private func top() throws(CheckpointError) -> PickleValue {
    guard let last = stack.last, stack.count > marks.last ?? 0 else {
      throw damaged("expected a value, found an empty stack")
    }
    return last
  }

  private mutating func pop() throws(CheckpointError) -> PickleValue {
    let last = try top()
    stack.removeLast()
    return last
  }

  private mutating func popLast(_ count: Int) throws(CheckpointError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw damaged("expected \(count) values, found \(stack.count - (marks.last ?? 0))")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(CheckpointError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("expected a mark, found none") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func recall(_ index: Int) throws(CheckpointError) -> PickleValue {
    guard let value = memo[index] else { throw damaged("memo \(index) is used before it is set") }
    return value
  }

  private mutating func append(_ values: [PickleValue]) throws(CheckpointError) {
    guard heap.append(values, to: try top()) else { throw damaged("expected a list") }
  }

  private mutating func set(_ entries: [PickleValue]) throws(CheckpointError) {
    guard entries.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
    guard heap.set(entries, of: try top()) else { throw damaged("expected a dictionary") }
  }

  private mutating func dictionary(_ entries: [PickleValue]) throws(CheckpointError) {
    guard entries.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
    push(.dictionary(parts: heap.keep(entries)))
  }

  private func damaged(_ reason: String) -> CheckpointError {
    .damaged(
      path: cursor.path, part: "\(cursor.part) before byte \(cursor.position)", reason: reason)
  }
}

/// The opcodes that are understood: those of protocols 2 to 5 (Python's pickletools describes
/// each), without the ones that reach outside the pickle (extension registry, out-of-band buffers)
/// and without the text opcodes of protocol 0.
package enum PickleOpcode: UInt8 {
  case mark = 0x28
  case emptyTuple = 0x29
  case stop = 0x2E
  case pop = 0x30
  case popMark = 0x31
  case duplicate = 0x32
  case bytes = 0x42
  case shortBytes = 0x43
  case float = 0x47
  case integer = 0x4A
  case integer1 = 0x4B
  case integer2 = 0x4D
  case none = 0x4E
  case persistent = 0x51
  case reduce = 0x52
  case string = 0x54
  case shortString = 0x55
  case unicode = 0x58
  case emptyList = 0x5D
  case append = 0x61
  case build = 0x62
  case global = 0x63
  case dictionary = 0x64
  case appends = 0x65
  case get = 0x68
  case instance = 0x69
  case longGet = 0x6A
  case list = 0x6C
  case object = 0x6F
  case put = 0x71
  case longPut = 0x72
  case setItem = 0x73
  case tuple = 0x74
  case setItems = 0x75
  case emptyDictionary = 0x7D
  case protocolVersion = 0x80
  case newObject = 0x81
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case newTrue = 0x88
  case newFalse = 0x89
  case long1 = 0x8A
  case long4 = 0x8B
  case shortUnicode = 0x8C
  case unicode8 = 0x8D
  case bytes8 = 0x8E
  case emptySet = 0x8F
  case addItems = 0x90
  case frozenSet = 0x91
  case newObjectKeywords = 0x92
  case stackGlobal = 0x93
  case memoize = 0x94
  case frame = 0x95
  case byteArray8 = 0x96
}
