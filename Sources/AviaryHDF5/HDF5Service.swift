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
