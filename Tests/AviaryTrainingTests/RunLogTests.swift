import AviaryFiles
import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@testable import AviaryTraining

@Suite("Logs of a training")
struct RunLogTests {
  private func step(_ step: Int, _ loss: Double = 0.5) -> RunLog.Step {
    RunLog.Step(
      step, seconds: 0.25, loss: loss, parts: [("l1", 0.25), ("ssim", 2.5), ("l1", 0.25)],
      rate: 1e-3, gradientNorm: 3, waiting: 0.01)
  }
  private let quality = RunLog.Quality(
    psnr: 33, ssim: 0.9, bicubicPSNR: 32, bicubicSSIM: 0.875)
  private let parts = ["l1", "ssim", "l1"]
  private let header =
    "step,seconds,loss,loss/l1,loss/ssim,rate,gradient,waiting,psnr,ssim,bicubic-psnr,bicubic-ssim\n"

  private func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
  }

  @Test("rows are there at once, and go when the training goes back behind them")
  func resume() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("log.csv")
    do {
      let log = try RunLog(in: folder.path, step: 0, parts: parts)
      try log.append(step(1))
      #expect(try text(path) == header + "1,0.25,0.5,0.5,2.5,0.001,3.0,0.01,,,,\n")
      try log.append(step(2, .nan))
      try log.append(step: 2, quality)
      try log.append(step(3))
    }
    let kept =
      header + "1,0.25,0.5,0.5,2.5,0.001,3.0,0.01,,,,\n2,0.25,nan,0.5,2.5,0.001,3.0,0.01,,,,\n"
      + "2,,,,,,,,33.0,0.9,32.0,0.875\n"
    // As a killed process leaves it.
    let cut = try text(path) + "4,0.2"
    try Data(cut.utf8).write(to: URL(filePath: path))
    #expect(try LogTable(contentsOf: path).rows.map(\.step) == [1, 2, 2, 3])
    do {
      let log = try RunLog(in: folder.path, step: 2, parts: parts)
      #expect(try text(path) == kept)
      try log.append(step(3))
    }
    let table = try LogTable(contentsOf: path)
    #expect(table.rows.map(\.step) == [1, 2, 2, 3])
    #expect(table.points("loss").map(\.step) == [1, 3])
    #expect(table.points("psnr").map(\.value) == [33])
    // A new training in the folder begins anew.
    _ = try RunLog(in: folder.path, step: 0, parts: parts)
    #expect(try text(path) == header)
  }

  @Test("what a link leads to is left alone")
  func link() throws {
    let folder = try TemporaryFolder()
    let other = try folder.file("other", Array("precious".utf8))
    let path = folder.file("log.csv")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "other")
    let error = #expect(throws: TrainingError.self) {
      _ = try RunLog(in: folder.path, step: 0, parts: parts)
    }
    #expect(error == .cannotWrite(path: path, reason: "it is a symbolic link"))
    #expect(try text(other) == "precious")
  }

  @Test("a table of another training is not continued")
  func otherColumns() throws {
    let folder = try TemporaryFolder()
    _ = try RunLog(in: folder.path, step: 0, parts: ["l1"])
    let error = try #require(throws: TrainingError.self) {
      _ = try RunLog(in: folder.path, step: 3, parts: ["l2"])
    }
    #expect(
      error.description.hasPrefix(
        "\(folder.file("log.csv")):1: expected columns step,seconds,loss,loss/l2,")
    )
  }

  @Test(
    "what is no table is said with its line",
    arguments: [
      ("", ": expected a log of a training, found no line"),
      ("a,b\n", ":1: expected names of columns, step and loss among them, found a,b"),
      ("step,loss\n1,2,3\n", ":2: expected 2 cells, found 3"),
      ("step,loss\n1,2\nx,3\n", ":3: expected a step, found x"),
      ("step,loss\n1,many\n", ":2: expected a number for loss, found many"),
      ("step,loss\n2,1\n1,1\n", ":3: expected step 2 or later, found 1"),
    ])
  func damaged(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("log.csv", Array(text.utf8))
    let error = try #require(throws: TrainingError.self) { try LogTable(contentsOf: path) }
    #expect(error.description == path + message)
  }

  @Test("a log that cannot be written")
  func full() throws {
    let error = try #require(throws: TrainingError.self) {
      _ = try RunLog(in: "/none", step: 0, parts: [])
    }
    #expect(
      error.description == "/none/log.csv: cannot be written: no such file or directory")
  }

  @Test("changed tables neither trap nor hang")
  func fuzz() throws {
    let folder = try TemporaryFolder()
    let original = header + "1,0.25,0.5,0.5,2.5,0.001,3.0,0.01,,,,\n2,,,,,,,,33.0,0.9,32.0,0.875\n"
    let fuzzing = try Fuzzing("logs", [Array(original.utf8)], in: folder, name: "log.csv") {
      _ = try LogTable(contentsOf: $0)
    }
    #expect(fuzzing.files > 20)
  }

  @Test(
    "CRC-32C of RFC 3720",
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      ((0..<32).map { $0 }, 0x46DD_794E), ((0..<32).reversed().map { $0 }, 0x113F_DB5C),
      (Array("123456789".utf8), 0xE306_9283), ([], 0),
    ] as [([UInt8], UInt32)])
  func castagnoli(_ bytes: [UInt8], _ checksum: UInt32) {
    #expect(CRC32C.checksum(bytes) == checksum)
  }

  @Test("records are framed as TensorFlow frames them")
  func record() {
    // Written by TensorFlow 2.21's tf.io.TFRecordWriter.
    let expected: [UInt8] = [
      0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x73, 0x69, 0xD5, 0x37, 0x61, 0x76, 0x69,
      0x61, 0x72, 0x79, 0xDD, 0x75, 0xBF, 0xAC,
    ]
    #expect(EventFile.record(Array("aviary".utf8)) == expected)
  }
}
