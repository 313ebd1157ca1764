import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@testable import AviaryTraining

@Suite("Plots of trainings")
struct CurvePlotTests {
  private func log(_ rows: String) throws -> LogTable {
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "log.csv", Array("step,loss,psnr,bicubic-psnr\n\(rows)".utf8))
    return try LogTable(contentsOf: path)
  }
  private let rows = "1,0.5,,\n2,0.25,,\n2,,30,28\n3,nan,,\n4,0.125,,\n4,,31,28\n"

  @Test("ticks are round numbers that hold all values")
  func linear() {
    let axis = PlotAxis(linear: [33.66, 36.8])
    #expect(axis.ticks.map(\.label) == ["33", "34", "35", "36", "37"])
    #expect(axis.range == 33...37)
    #expect(axis.position(34) == 0.25)
    let steps = PlotAxis(linear: [0, 40_000])
    #expect(steps.ticks.map(\.label) == ["0", "10K", "20K", "30K", "40K"])
    #expect(PlotAxis(linear: [0, 2.4e6]).ticks.last?.label == "2.5M")
    #expect(
      PlotAxis(linear: [0.1, 0.3]).ticks.map(\.label) == ["0.10", "0.15", "0.20", "0.25", "0.30"])
    #expect(PlotAxis(linear: [5]).range.contains(5))
    #expect(PlotAxis(linear: []).ticks.count > 1)
    #expect(PlotAxis(linear: [-1e30, 1e30]).ticks.count > 1)
    #expect(PlotAxis(linear: [1e30]).range.contains(1e30))
  }

  @Test("logarithmic ticks")
  func logarithmic() {
    #expect(
      PlotAxis(logarithmic: [0.012, 0.4]).ticks.map(\.label)
        == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"])
    let axis = PlotAxis(logarithmic: [1e-5, 10])
    #expect(axis.ticks.map(\.label) == ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10"])
    #expect(abs(axis.position(0.01) - 0.5) < 1e-12)
    #expect(PlotAxis(logarithmic: [0.3]).range.contains(0.3))
    #expect(PlotAxis(logarithmic: [1e-30, 1e30]).ticks.count <= 9)
  }

  @Test("the image has the curves and their colours")
  func picture() throws {
    let image = try CurvePlot([("a", log(rows)), ("b", log(rows))]).image
    #expect(image.width == 1200)
    #expect(image.height == 600)
    func count(_ color: PlotColor) -> Int {
      stride(from: 0, to: 600, by: 8).reduce(0) { sum, y in
        sum
          + (0..<1200).count { x in
            (0..<3).allSatisfy { abs(image[$0, y, x] - color.values[$0]) < 0.01 }
          }
      }
    }
    // Both runs are alike, so that the second lies over the first, whose legend remains.
    #expect(count(PlotColor.curves[0]) > 0)
    #expect(count(PlotColor.curves[1]) > 50)
    #expect(count(.white) > 70_000)
  }

  @Test("the drawing names runs, and is XML whatever they are called")
  func drawing() throws {
    let svg = try CurvePlot([("<a>&\u{1}", log(rows))]).svg
    let parser = XMLText(svg)
    #expect(parser.problem == nil)
    #expect(parser.texts.contains("<a>& "))
    #expect(parser.texts.contains("bicubic"))
    #expect(parser.texts.contains("PSNR of validation, dB"))
  }

  @Test("a log without validation, of one step, and of numbers that no training gives")
  func sparse() throws {
    for rows in [
      "1,0.5,,\n", "1,1e300,,\n2,1e-300,,\n3,0.5,,\n3,,1e300,-1e300\n", "1000000000000,1,,\n",
    ] {
      let plot = try CurvePlot([("a", log(rows))])
      #expect(try plot.image.width == 1200)
      #expect(XMLText(plot.svg).problem == nil)
    }
    let error = try #require(throws: TrainingError.self) {
      try CurvePlot([("a", log("1,nan,,\n"))])
    }
    #expect(error.description == "a: expected a loss that can be drawn, found none in 1 rows")
    let empty = try #require(throws: TrainingError.self) { try CurvePlot([("a", log(""))]) }
    #expect(empty.description == "a: expected a log with a step at least, found none")
  }

  @Test("a loss of 0 or below is drawn, too")
  func belowZero() throws {
    // A linear scale, whose ticks show that nothing is left out.
    let negative = XMLText(try CurvePlot([("a", log("1,2,,\n2,0.5,,\n3,-1,,\n"))]).svg)
    #expect(negative.texts.contains("-1.0"), "\(negative.texts)")
    for rows in ["1,0,,\n2,0,,\n", "1,0,,\n2,0.5,,\n3,0.25,,\n", "1,-5,,\n"] {
      let plot = try CurvePlot([("a", log(rows))])
      #expect(try plot.image.width == 1200)
      #expect(XMLText(plot.svg).problem == nil)
    }
  }

  @Test("lines have smooth edges, and are laid on once")
  func lines() throws {
    var image = try Image(width: 8, height: 8, format: PixelFormat(.rgb))
    try image.draw(
      lines: [.init(1, 4), .init(7, 4), .init(1, 4)], width: 1, opacity: 0.5, with: [1, 1, 1])
    // A line of one pixel between two rows covers half of each.
    #expect(image[0, 3, 4] == 0.25)
    #expect(image[0, 4, 4] == 0.25)
    #expect(image[0, 2, 4] == 0)
    try image.draw(lines: [.init(-1e9, .nan), .init(9, 9)], width: 1, with: [1, 1, 1])
    #expect(throws: ImageError.self) { try image.draw(lines: [], width: 1, with: [1]) }
  }
}

/// The texts of a document of XML, and what is wrong with it.
private final class XMLText {
  private(set) var texts: [String] = []
  private(set) var problem: String?

  /// Reads tags and texts; just as much of XML as the drawings have.
  init(_ document: String) {
    var open: [String] = []
    var rest = document[...]
    while let start = rest.firstIndex(of: "<") {
      let text = rest[..<start]
      if open.last == "text" { texts.append(XMLText.plain(String(text))) }
      guard let end = rest[start...].firstIndex(of: ">") else {
        problem = "a tag without an end"
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      if tag.hasPrefix("/") {
        if open.popLast() != String(tag.dropFirst()) { problem = "\(tag) closes something else" }
      } else if !tag.hasSuffix("/") {
        open.append(String(tag.prefix { $0 != " " }))
      }
      rest = rest[rest.index(after: end)...]
    }
    if !open.isEmpty { problem = "\(open) stays open" }
    if document.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" }) {
      problem = "a control character"
    }
  }

  private static func plain(_ text: String) -> String {
    text.replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
      .replacingOccurrences(of: "&amp;", with: "&")
  }
}
