internal import AviaryFiles
internal import Glibc

/// The table written during training, `log.csv`: one row per step, and another row of the same step
/// per validation.
package struct LogTable: Sendable {
  /// A row.
  package struct Row: Hashable, Sendable {
    /// Steps done.
    package var step: Int
    /// The numbers by column name; those without a value are absent.
    package var values: [String: Double]
  }

  /// The names of the columns after the step.
  package private(set) var columns: [String] = []
  /// The rows, by step.
  package private(set) var rows: [Row] = []
  /// The size of the header and the rows up to a step, in bytes: the file's size without an
  /// incomplete row left by a process that was killed.
  private(set) var wholeBytes = 0

  /// The name of the file in a run's folder.
  package static let name = "log.csv"

  /// The names of the columns after the step, for a loss with these parts.
  static func columns(parts: [String]) -> [String] {
    ["seconds", "loss"] + parts.map { "loss/\($0)" }
      + ["rate", "gradient", "waiting", "psnr", "ssim", "bicubic-psnr", "bicubic-ssim"]
  }

  /// A row as text, with its line break.
  static func line(step: Int, _ values: [String: Double], columns: [String]) -> String {
    // float32 has seven digits.
    let cells = columns.map { name in values[name].map { "\(Float($0))" } ?? "" }
    return "\(step),\(cells.joined(separator: ","))\n"
  }

  /// Reads a table. The last line counts only if it is complete: it may still be being written.
  ///
  /// - Parameter step: rows after this step are left out.
  /// - Throws: `TrainingError.cannotRead`, or `.data` with the line that is not a row.
  package init(contentsOf path: String, upTo step: Int = .max) throws(TrainingError) {
    let bytes: [UInt8]
    do throws(FileError) {
      let file = try InputFile(path)
      bytes = try file.bytes(at: 0, count: file.byteCount)
    } catch {
      throw TrainingError(error)
    }
    var number = 0, start = 0
    while start < bytes.count, let end = bytes[start...].firstIndex(of: 0x0A) {
      number += 1
      let cells = bytes[start..<end].split(separator: 0x2C, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      if number == 1 {
        guard cells.first == "step", cells.contains("loss"), Set(cells).count == cells.count,
          cells.count <= 256
        else {
          throw .data(
            path: "\(path):1", expected: "names of columns, step and loss among them",
            found: String(cells.joined(separator: ",").prefix(60)).printable)
        }
        columns = Array(cells.dropFirst())
      } else {
        let row = try LogTable.row(cells, columns, place: "\(path):\(number)")
        guard row.step >= rows.last?.step ?? 0 else {
          throw .data(
            path: "\(path):\(number)", expected: "step \(rows.last?.step ?? 0) or later",
            found: "\(row.step)")
        }
        if row.step > step { break }
        rows.append(row)
      }
      start = end + 1
    }
    guard number > 0 else {
      throw .data(path: path, expected: "a log of a training", found: "no line")
    }
    wholeBytes = start
  }

  private static func row(
    _ cells: [String], _ columns: [String], place: String
  ) throws(TrainingError) -> Row {
    guard cells.count == columns.count + 1 else {
      throw .data(path: place, expected: "\(columns.count + 1) cells", found: "\(cells.count)")
    }
    guard let step = Int(cells[0]), (0...1_000_000_000_000).contains(step) else {
      throw .data(path: place, expected: "a step", found: String(cells[0].prefix(60)).printable)
    }
    var values: [String: Double] = [:]
    for (name, cell) in zip(columns, cells.dropFirst()) where !cell.isEmpty {
      guard cell.utf8.count <= 64, let value = Double(cell) else {
        throw .data(
          path: place, expected: "a number for \(name.printable)",
          found: String(cell.prefix(60)).printable)
      }
      values[name] = value
    }
    return Row(step: step, values: values)
  }

  /// A column's finite values with their steps.
  package func points(_ column: String) -> [(step: Int, value: Double)] {
    rows.compactMap { row in
      row.values[column].flatMap { $0.isFinite ? (row.step, $0) : nil }
    }
  }
}

/// A file that others read while it is written: every piece is passed to the system at once and
/// whole, so a process that is killed leaves everything it wrote.
struct GrowingFile: ~Copyable {
  private let path: String
  private let descriptor: CInt

  /// Opens the file at its end, creating it if necessary.
  ///
  /// - Parameter size: how many bytes of the existing file to keep.
  /// - Throws: `TrainingError.cannotWrite`.
  init(_ path: String, keeping size: Int) throws(TrainingError) {
    // The training knows nothing about a file behind a link, and must not truncate it.
    let descriptor = unsafe open(
      path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else {
      let reason = errno == ELOOP ? "it is a symbolic link" : SystemReason.last
      throw .cannotWrite(path: path, reason: reason)
    }
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      let reason = SystemReason.last
      close(descriptor)
      throw .cannotWrite(path: path, reason: reason)
    }
    (self.path, self.descriptor) = (path, descriptor)
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  ///
  /// - Throws: `TrainingError.cannotWrite`; a part that was already written is then removed as far
  ///   as the system allows.
  func append(_ bytes: [UInt8]) throws(TrainingError) {
    let start = lseek(descriptor, 0, SEEK_END)
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes[done...].withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        let reason = SystemReason.last
        if start >= 0 { _ = ftruncate(descriptor, start) }
        throw .cannotWrite(path: path, reason: reason)
      }
      done += count
    }
  }
}
