import CHDF5
import CHDF5Driver
import CIsolation
import Glibc

/// What the helper program does: it reads one HDF5 file that it was given open, answers once, and
/// ends.
package enum HDF5Service {
  /// Memory for the library, beside the elements that are asked for.
  private static let memory = 1 << 30

  /// Serves one request.
  ///
  /// - Parameter arguments: the program's name, where the file begins and how many bytes it has,
  ///   and, if elements are asked for, the data set's path; they go to the shared memory.
  /// - Returns: the program's status: 0 if it answered, even that the file cannot be read.
  package static func run(_ arguments: [String]) -> CInt {
    guard arguments.count >= 3, let start = Int(arguments[1]), let byteCount = Int(arguments[2])
    else { return EX_USAGE }
    let dataSet = arguments.count > 3 ? arguments[3] : nil
    var size = 0
    if dataSet != nil {
      var status = stat()
      guard unsafe fstat(CInt(AVIARY_MEMORY), &status) == 0 else { return EX_USAGE }
      size = Int(status.st_size)
    }
    // Before anything of the file is read.
    guard
      aviary_confine(UInt64(memory + 3 * size), UInt64(HDF5Deadline.seconds(elements: size))) == 0
    else { return EX_OSERR }
    let answer: [UInt8]
    do throws(HDF5Error) {
      let file = try HDF5File(
        CInt(AVIARY_FILE), start: start, byteCount: byteCount)
      if let dataSet {
        try read(dataSet, of: file, size)
        answer = HDF5Answer.done
      } else {
        answer = try file.answer()
      }
    } catch {
      answer = HDF5Answer.failure(error)
    }
    return write(answer) ? 0 : EX_IOERR
  }

  private static func read(
    _ dataSet: String, of file: borrowing HDF5File, _ size: Int
  ) throws(HDF5Error) {
    let memory = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, CInt(AVIARY_MEMORY), 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw .damaged(part: dataSet, reason: "no memory for \(size) bytes")
    }
    try unsafe file.read(
      dataSet, into: UnsafeMutableRawBufferPointer(start: memory, count: size))
  }

  private static func write(_ answer: [UInt8]) -> Bool {
    var done = 0
    while done < answer.count {
      let count = unsafe answer[done...].withUnsafeBytes {
        unsafe Glibc.write(CInt(AVIARY_ANSWER), $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}

/// What a reader of HDF5 answers: a message that its host decodes like a hostile file.
///
/// All numbers are little-endian. A text is the count of its bytes (u32) and the bytes. It begins
/// with `signature` and one byte of `Kind`; then comes
/// - for `.tree` the root group: attributes, the count of its members (u32), and of each, sorted by
///   the bytes of the names, the name (text), 0 or 1 (u8), and the group or data set itself;
///   a data set is its rank (u8), dimensions (u64), `HDF5Kind` (u8), `Flags` (u8), offset (u64),
///   stored bytes (u64), its text if flagged, and attributes;
///   attributes are their count (u32) and of each the name, `AttributeKind` (u8), the count of
///   values (u32) and the values: texts, i64 or float64;
/// - for `.done` nothing: the shared memory holds the elements;
/// - for `.damaged` the part and the reason, for `.unsupported` what, for `.tooLarge` the part, the
///   limit and what was found (u64).
package struct HDF5Answer {
  /// `AVH5` and the version of this message.
  package static let signature: [UInt8] = [0x41, 0x56, 0x48, 0x35, 1]

  /// What is answered.
  package enum Kind: UInt8 {
    case tree, done, damaged, unsupported, tooLarge
  }

  /// The bits of a data set's byte of flags.
  package enum Flags {
    /// The elements are in the file as they are in memory, if they lie in one piece.
    package static let isPlain: UInt8 = 1
    package static let isFiltered: UInt8 = 2
    package static let hasOffset: UInt8 = 4
    package static let hasText: UInt8 = 8
  }

  /// What an attribute holds.
  package enum AttributeKind: UInt8 {
    case strings, integers, floats
  }

  /// The message so far.
  package private(set) var bytes = HDF5Answer.signature

  /// A message of this kind, its content still to come.
  init(_ kind: Kind) { bytes.append(kind.rawValue) }

  /// The answer that the elements are where they were asked for.
  package static var done: [UInt8] { HDF5Answer(.done).bytes }

  /// The answer that something is the matter.
  package static func failure(_ error: HDF5Error) -> [UInt8] {
    var answer: HDF5Answer
    switch error {
    case .damaged(let part, let reason):
      answer = HDF5Answer(.damaged)
      answer.add(part)
      answer.add(reason)
    case .unsupported(let what):
      answer = HDF5Answer(.unsupported)
      answer.add(what)
    case .tooLarge(let part, let limit, let found):
      answer = HDF5Answer(.tooLarge)
      answer.add(part)
      answer.add(UInt64(limit))
      answer.add(UInt64(found))
    }
    return answer.bytes
  }

  mutating func add(_ byte: UInt8) { bytes.append(byte) }

  mutating func add(_ number: UInt64) {
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func add(count: Int) {
    unsafe withUnsafeBytes(of: UInt32(clamping: count).littleEndian) {
      unsafe bytes.append(contentsOf: $0)
    }
  }

  mutating func add(_ text: String) {
    add(count: text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }
}

/// A range of an open descriptor as the library's file, which reads and writes through it and opens
/// nothing itself. The descriptor stays its owner's to close, after this went out of scope.
///
/// `@unchecked Sendable`: what the pointer leads to is touched under the library's lock alone, but
/// for making and releasing it, which happen once.
@safe package struct HDF5Channel: ~Copyable, @unchecked Sendable {
  private let channel: OpaquePointer

  /// For reading, the file is `byteCount` bytes from `start`; for writing both are 0.
  package init(_ descriptor: CInt, start: Int = 0, byteCount: Int = 0) throws(HDF5Error) {
    guard
      let channel = unsafe chdf5_channel_make(
        descriptor, UInt64(clamping: start), UInt64(clamping: byteCount))
    else { throw .damaged(part: "the file", reason: "no memory") }
    unsafe self.channel = channel
  }

  deinit { unsafe chdf5_channel_release(channel) }

  /// The value of `errno` of the first read or write that failed; nil if none did. The library is
  /// told that all went well.
  package var error: CInt? {
    let error = try? HDF5.check("the file") { unsafe chdf5_channel_error(channel) }
    return error == 0 ? nil : error
  }

  /// A property list of file access by this channel.
  package func access() throws(HDF5Error) -> HDF5Handle {
    let access = try HDF5Handle("the file") { H5Pcreate(chdf5_file_access()) }
    _ = try HDF5.check("the file") { unsafe chdf5_channel_use(channel, access.id) }
    // What is still open in a file is closed with it.
    _ = try HDF5.check("the file") { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
    return access
  }
}
