internal import AviaryContainers
internal import AviaryFiles
internal import Glibc

/// An event file for TensorBoard: records in TFRecord framing, each an `Event` message of
/// TensorFlow's `event.proto`.
///
/// Every training process writes its own file; TensorBoard shows all files of a folder as one run.
struct EventFile: ~Copyable {
  private let file: GrowingFile

  /// An image for the event file.
  struct Sample {
    var name: String
    var width: Int
    var height: Int
    /// 1 for gray, 2 with alpha, 3 for RGB, 4 with alpha: TensorFlow's colour space.
    var channels: Int
    /// A PNG file's bytes.
    var png: [UInt8]
  }

  /// Starts a file in a folder.
  ///
  /// - Parameter step: the step that the training resumes from; later steps in other files of the
  ///   folder no longer count.
  /// - Throws: `TrainingError.cannotWrite`.
  init(in folder: String, step: Int) throws(TrainingError) {
    let time = Int(EventFile.now)
    let file = try GrowingFile(
      "\(folder)/events.out.tfevents.\(time).\(getpid()).aviary", keeping: 0)
    try file.append(EventFile.event(step: 0) { $0.add(3, "brain.Event:2") })
    if step > 0 {
      var session = ProtocolBufferMessage()
      // SessionLog.status START: discards what was written for this step and later ones.
      session.add(1, 1)
      try file.append(EventFile.event(step: step + 1) { $0.add(7, session) })
    }
    self.file = file
  }

  /// Appends the scalars of a step.
  ///
  /// - Throws: `TrainingError.cannotWrite`.
  func append(step: Int, _ scalars: [(name: String, value: Double)]) throws(TrainingError) {
    var summary = ProtocolBufferMessage()
    for (name, value) in scalars {
      var entry = ProtocolBufferMessage()
      entry.add(1, name)
      entry.add(2, Float(value))
      summary.add(1, entry)
    }
    try file.append(EventFile.event(step: step) { $0.add(5, summary) })
  }

  /// Appends the images of a step.
  ///
  /// - Throws: `TrainingError.cannotWrite`.
  func append(step: Int, samples: [Sample]) throws(TrainingError) {
    for sample in samples {
      var (image, entry) = (ProtocolBufferMessage(), ProtocolBufferMessage())
      image.add(1, sample.height)
      image.add(2, sample.width)
      image.add(3, sample.channels)
      image.add(4, bytes: sample.png)
      entry.add(1, "samples/\(sample.name)")
      entry.add(4, image)
      var summary = ProtocolBufferMessage()
      summary.add(1, entry)
      try file.append(EventFile.event(step: step) { $0.add(5, summary) })
    }
  }

  /// The record of an event that happens now.
  private static func event(step: Int, _ fill: (inout ProtocolBufferMessage) -> Void) -> [UInt8] {
    var event = ProtocolBufferMessage()
    event.add(1, now)
    event.add(2, step)
    fill(&event)
    var bytes: [UInt8] = []
    for case .bytes(let piece) in event.pieces { bytes += piece }
    return record(bytes)
  }

  /// A record: the length in 8 bytes, the length's checksum, the data, the data's checksum.
  static func record(_ data: [UInt8]) -> [UInt8] {
    func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
      (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
    }
    let length = little(UInt64(data.count))
    return length + little(CRC32C.masked(length)) + data + little(CRC32C.masked(data))
  }

  /// Seconds since 1970.
  private static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
