internal import AviaryFiles
internal import FoundationEssentials
internal import Glibc

/// Another program at work: what it reads comes from us, what it writes goes to us.
///
/// It ends with this value at the latest.
struct ChildProcess: ~Copyable {
  private let name: String
  private var process: pid_t
  /// Where bytes for its standard input go; -1 once that is closed, or where it has none.
  private var input: CInt = -1
  /// Where its standard output, and then descriptor 3, come from.
  private(set) var outputs: [CInt]
  /// What it writes to standard error: a file without a name.
  private let errors: CInt

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - outputs: 0, 1 for standard output, 2 for descriptor 3 as well.
  ///   - subject: the file that it is about, for messages.
  /// - Throws: `VideoError.program` where the system cannot start it.
  init(
    _ program: String, _ arguments: [String], takesInput: Bool = false, outputs count: Int = 0,
    subject: String
  ) throws(VideoError) {
    func failure(_ number: CInt) -> VideoError {
      .program(program, path: subject, reason: SystemReason.text(number))
    }
    var kept: [CInt] = []
    var given: [CInt] = []
    func closeAll(_ descriptors: [CInt]) { for one in descriptors where one >= 0 { close(one) } }
    // Of the child in order: input, output, errors, and one more output.
    if takesInput {
      // A socket and no pipe: writing to a program that ended is an error then, and no signal.
      var ends: [CInt] = [0, 0]
      guard
        unsafe socketpair(
          AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
      else { throw failure(errno) }
      kept.append(ends[0])
      given.append(ends[1])
    } else {
      kept.append(-1)
      given.append(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
    }
    func pipeEnds() -> Bool {
      var ends: [CInt] = [0, 0]
      guard unsafe pipe(&ends) == 0 else { return false }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      kept.append(ends[0])
      given.append(ends[1])
      return true
    }
    if count > 0 {
      guard pipeEnds() else {
        defer { closeAll(kept + given) }
        throw failure(errno)
      }
    } else {
      given.append(unsafe open("/dev/null", O_WRONLY | O_CLOEXEC))
    }
    var path = Array("\(FileManager.default.temporaryDirectory.path)/aviary-XXXXXX".utf8CString)
    let errors = unsafe mkstemp(&path)
    if errors >= 0 {
      _ = unsafe unlink(path)
      _ = fcntl(errors, F_SETFD, FD_CLOEXEC)
    }
    // The child's offset must not be ours.
    given.append(errors)
    if count > 1, !pipeEnds() {
      defer { closeAll(kept + given) }
      throw failure(errno)
    }
    guard given.allSatisfy({ $0 >= 0 }) else {
      defer { closeAll(kept + given) }
      throw failure(errno)
    }
    let (status, process) = ChildProcess.spawn(program, arguments, given)
    closeAll(given.filter { $0 != errors })
    guard status == 0 else {
      closeAll(kept + [errors])
      throw failure(status)
    }
    name = program.split(separator: "/").last.map(String.init) ?? program
    self.process = process
    input = kept[0]
    outputs = Array(kept.dropFirst())
    self.errors = errors
  }

  deinit {
    if process > 0 {
      kill(process, SIGKILL)
      var status: CInt = 0
      while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
    for one in [input, errors] + outputs where one >= 0 { close(one) }
  }

  /// Starts a program with these descriptors as its 0, 1, 2 and so on.
  private static func spawn(
    _ program: String, _ arguments: [String], _ descriptors: [CInt]
  ) -> (status: CInt, process: pid_t) {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    // Ours are above 2, so that none is overwritten before it is copied.
    for (number, descriptor) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, CInt(number))
    }
    var (none, all) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    var process: pid_t = 0
    let status = unsafe withTexts([program] + arguments) { arguments in
      unsafe withTexts(environment) { environment in
        unsafe posix_spawn(&process, program, &actions, &attributes, arguments, environment)
      }
    }
    return (status, process)
  }

  private static func withTexts<R>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
  ) -> R {
    let pointers = unsafe texts.map { text in
      unsafe text.withPath { unsafe strdup($0) }
    }
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(pointers + [nil])
  }
}

extension ChildProcess {
  /// Hands it bytes; false where it does not take them any more.
  func write(_ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes[done...].withUnsafeBytes {
        unsafe send(input, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  /// Tells it that no more bytes come.
  mutating func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// All that it still writes to standard output.
  func rest() -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(outputs[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// Waits for its end.
  ///
  /// - Returns: its status, that of the shell where a signal ended it, and what it wrote to standard
  ///   error, line by line.
  mutating func end() -> (status: Int, errors: [String]) {
    closeInput()
    var status: CInt = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    process = 0
    let signal = status & 0x7F
    return (signal == 0 ? Int(status >> 8 & 0xFF) : 128 + Int(signal), errorLines)
  }

  /// Waits for its end, which must be a good one.
  ///
  /// - Returns: what it wrote to standard error all the same.
  /// - Throws: `VideoError.program` with the first line that it wrote to standard error.
  @discardableResult
  mutating func succeed(_ subject: String) throws(VideoError) -> [String] {
    let (status, lines) = end()
    guard status == 0 else {
      // The first says what is wrong, those behind it what follows from that. It may begin with a part
      // of the program and its address, and with the name as we gave it.
      var line = lines.first ?? "status \(status)"
      if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
        line = String(line[end...].dropFirst().drop { $0 == " " })
      }
      let known = "\(VideoFile.address(subject)): "
      throw .program(
        name, path: subject,
        reason: line.hasPrefix(known) ? String(line.dropFirst(known.count)) : line)
    }
    return lines
  }

  private var errorLines: [String] {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    // No more than that says why.
    let count = unsafe pread(errors, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map(String.init)
  }
}
