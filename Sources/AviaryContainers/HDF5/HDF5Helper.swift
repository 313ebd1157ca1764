import AviaryFiles
import AviaryHDF5
import CIsolation
import Glibc

/// The program that reads HDF5 files where it can do no harm: it is given the file open, and gives
/// an answer that is taken for a hostile file's.
///
/// It runs once for each question. It then needs no protocol, and no state outlives a fault.
struct HDF5Helper: Sendable {
  /// The program's file.
  let program: String
  /// The seconds that it may take where the machine is busy with other things.
  var patience = 30

  /// The program beside the running one, or in `../libexec/aviary` of it.
  ///
  /// - Parameters:
  ///   - path: the HDF5 file, for the message.
  ///   - running: the running program's own file.
  /// - Throws: `CheckpointError.readerFailed` where it is in neither.
  static func installed(
    for path: String, beside running: String = runningProgram
  ) throws(CheckpointError) -> HDF5Helper {
    let folder = running.lastIndex(of: "/").map { String(running[..<$0]) } ?? "."
    for place in ["/aviary-hdf5", "/../libexec/aviary/aviary-hdf5"] {
      let program = folder + place
      if unsafe access(program, X_OK) == 0 { return HDF5Helper(program: program) }
    }
    throw .readerFailed(
      path: path,
      reason: "the program aviary-hdf5 is neither in \(folder) nor in \(folder)/../libexec/aviary")
  }

  private static let runningProgram: String = {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &path, path.count)
    return String(
      decoding: path.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }()

  /// All that the file says.
  func answer(about range: borrowing HDF5Range) throws(CheckpointError) -> [UInt8] {
    try ask(range, nil, -1, elements: 0)
  }

  /// Fills `buffer` with the elements of a data set.
  func read(
    _ dataSet: String, of range: borrowing HDF5Range, into buffer: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    let path = range.file.path
    let memory = try InputFile(memory: buffer.count, path)
    let answer = try ask(range, dataSet, memory.descriptor, elements: buffer.count)
    var cursor = HDF5AnswerCursor(answer, path: path)
    guard try cursor.begin() == .done else {
      throw .readerFailed(path: path, reason: "expected elements, found another answer")
    }
    try unsafe memory.fill(weights: buffer, at: 0, part: dataSet)
  }

  /// Runs the program to its end and gives what it wrote.
  private func ask(
    _ range: borrowing HDF5Range, _ dataSet: String?, _ memory: CInt, elements byteCount: Int
  ) throws(CheckpointError) -> [UInt8] {
    let path = range.file.path
    var ends: [CInt] = [-1, -1]
    var status = unsafe aviary_pipe(&ends)
    guard status == 0 else {
      throw .readerFailed(path: path, reason: SystemReason.text(status))
    }
    let (reading, writing) = (ends[0], ends[1])
    defer { close(reading) }
    var child: pid_t = 0
    status = unsafe aviary_start(
      program, String(range.start), String(range.byteCount), dataSet, range.file.descriptor,
      writing, memory, &child)
    close(writing)
    guard status == 0 else {
      throw .readerFailed(path: path, reason: "\(program): \(SystemReason.text(status))")
    }
    // Twice its own limit of computing time: it may have to wait for others.
    let seconds = patience + 2 * byteCount / (16 << 20)
    let answer = Result { () throws(HDF5Silence) in
      try read(reading, atMost: HDF5Limits.answer(range.byteCount), seconds: seconds)
    }
    if case .failure = answer { kill(child, SIGKILL) }
    let end = Self.end(of: child)
    switch answer {
    case .failure(let silence):
      throw .readerFailed(path: path, reason: silence.reason(seconds))
    case .success(let bytes):
      if let end { throw .readerFailed(path: path, reason: end) }
      return bytes
    }
  }

  /// Why a program gave no answer.
  private enum HDF5Silence: Error {
    case late, long, system(CInt)

    func reason(_ seconds: Int) -> String {
      switch self {
      case .late: "expected an answer within \(seconds) seconds, found none"
      case .long: "its answer is longer than the file can give reason for"
      case .system(let number): SystemReason.text(number)
      }
    }
  }

  private func read(
    _ descriptor: CInt, atMost limit: Int, seconds: Int
  ) throws(HDF5Silence) -> [UInt8] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let left = (deadline - ContinuousClock.now).components
      guard left.seconds >= 0, left.attoseconds >= 0 else { throw .late }
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
      let ready = unsafe poll(&event, 1, CInt(clamping: milliseconds))
      if ready == 0 || ready < 0 && errno == EINTR { continue }
      guard ready > 0 else { throw .system(errno) }
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(errno) }
      if count == 0 { return answer }
      answer += buffer[..<count]
      guard answer.count <= limit else { throw .long }
    }
  }

  /// Waits for the program, which has closed its answer and has nothing left to do; nil if it ended
  /// as it should. One that does not end was taken over by its file, and is ended.
  private static func end(of child: pid_t) -> String? {
    var status: CInt = 0
    let deadline = ContinuousClock.now + .seconds(5)
    var isEnded = false
    while true {
      let found = unsafe waitpid(child, &status, WNOHANG)
      if found == child { break }
      // Whose children are reaped by someone else is not told how they ended; the answer tells.
      if found < 0, errno != EINTR { return nil }
      if !isEnded, ContinuousClock.now > deadline {
        kill(child, SIGKILL)
        isEnded = true
      }
      usleep(200)
    }
    let signal = status & 0x7F
    if signal != 0 {
      let name = unsafe strsignal(signal).map { unsafe String(cString: $0) } ?? ""
      return "the program aviary-hdf5 was ended by signal \(signal) (\(name.lowercased()))"
    }
    let code = status >> 8 & 0xFF
    return code == 0 ? nil : "the program aviary-hdf5 ended with status \(code)"
  }
}

/// Who reads an HDF5 file through the library: the helper program, or this process.
///
/// One type, so that both give the same answer, which is decoded the same way.
final class HDF5Reader: Sendable {
  /// The file.
  let range: HDF5Range
  private let way: Way

  private enum Way: ~Copyable, Sendable {
    case helper(HDF5Helper)
    case inProcess(HDF5File)
  }

  /// A reader in this process.
  ///
  /// - Throws: `CheckpointError.damaged` if the library does not know the file for HDF5.
  init(trusting range: consuming HDF5Range) throws(CheckpointError) {
    do {
      way = .inProcess(
        try HDF5File(
          range.file.descriptor, start: range.start, byteCount: range.byteCount))
    } catch {
      throw CheckpointError(error, in: range.file.path)
    }
    self.range = range
  }

  /// A reader in a program of its own.
  init(isolating range: consuming HDF5Range, _ helper: HDF5Helper) {
    way = .helper(helper)
    self.range = range
  }

  /// All that the file says, as `HDF5Answer`.
  func answer() throws(CheckpointError) -> [UInt8] {
    switch way {
    case .helper(let helper): return try helper.answer(about: range)
    case .inProcess(let file):
      do {
        return try file.answer()
      } catch {
        throw CheckpointError(error, in: range.file.path)
      }
    }
  }

  /// Fills `buffer` with the elements of a data set, which are numbers.
  func read(
    _ dataSet: HDF5Tree.DataSet, into buffer: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    switch way {
    case .helper(let helper): try unsafe helper.read(dataSet.path, of: range, into: buffer)
    case .inProcess(let file):
      do {
        try unsafe file.read(dataSet.path, into: buffer)
      } catch {
        throw CheckpointError(error, in: range.file.path)
      }
    }
  }
}
