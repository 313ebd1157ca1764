@testable import AviaryGraph
import Testing

/// Plugins that are data.
@Suite struct DeclaredPluginTests {
  private func plugin(_ change: (inout [String: JSON]) -> Void = { _ in }) throws -> AnyArchitecture
  {
    let small = try Graph(channels: 1) { [$0.convolution("a", 4, kernel: 3).pixelShuffle(2)] }
    let large = try Graph(channels: 1) { [$0.convolution("a", 9, kernel: 3).pixelShuffle(3)] }
    var members: [String: JSON] = [
      "aviary_plugin": 1, "info": ["name": "tiny", "summary": "Two sizes"],
      "picture": ["colour": "gray"], "variants": ["x3": large.json, "x2": small.json],
    ]
    change(&members)
    return try Plugin.architecture(path: "p.json", declared: .object(members))
  }

  private func problem(_ change: (inout [String: JSON]) -> Void) -> String {
    do { return try plugin(change).info.name } catch { return "\(error)" }
  }

  @Test func variants() throws {
    let tiny = try plugin()
    #expect(tiny.info == ArchitectureInfo("tiny", summary: "Two sizes", licence: ""))
    #expect(tiny.presets.map(\.name) == ["x2", "x3"])
    #expect(try tiny.network().graph.sizeRule().scale == Ratio(2))
    let x3 = try tiny.network(["variant": "x3"])
    #expect(x3.graph.sizeRule().scale == Ratio(3))
    #expect(x3.picture == ImageSpec(.gray))
    #expect(try plugin { $0["picture"] = nil }.network().picture == ImageSpec(.luma))
    var registry = Registry()
    try registry.register(tiny)
    #expect(try registry.detect(WeightIndex(x3.graph)).network == x3)
    #expect {
      try tiny.network(["variant": "x4"])
    } throws: {
      "\($0)" == #"tiny: variant: expected one of x2, x3, found "x4""#
    }
    #expect {
      try tiny.network(["scale": 2])
    } throws: {
      "\($0)" == "tiny: no option 'scale' (it has variant)"
    }
  }

  /// Each variant has the image that its channels say, unless one is stated, which must suit.
  @Test func picturesOfVariants() throws {
    let colour = try Graph(channels: 3) { [$0.convolution("a", 12, kernel: 3).pixelShuffle(2)] }
    let free = try plugin {
      $0["picture"] = nil
      $0["variants"] = $0["variants"]?.adding("rgb", colour.json)
    }
    #expect(try free.network(["variant": "rgb"]).picture == ImageSpec(.rgb))
    #expect(try free.network(["variant": "x2"]).picture == ImageSpec(.luma))
    let stated = try plugin { $0["variants"] = $0["variants"]?.adding("rgb", colour.json) }
    #expect(try stated.network(["variant": "x2"]).picture == ImageSpec(.gray))
    #expect {
      try stated.network(["variant": "rgb"])
    } throws: {
      "\($0)" == "tiny: picture.colour: expected one of 3 channels, found 'gray'"
    }
  }

  @Test func whatIsRefused() {
    #expect(
      problem { $0["aviary_plugin"] = nil }
        == "p.json: plugin.aviary_plugin: expected an integer, found nothing")
    #expect(
      problem { $0["aviary_plugin"] = 2 } == "p.json: plugin.aviary_plugin: expected 1, found 2")
    #expect(
      problem { $0["variants"] = [:] }
        == "p.json: plugin.variants: expected 1 to 1000 graphs, found 0")
    #expect(
      problem { $0["variants"] = ["x": [:]] }
        == "p.json: graph.version: expected an integer, found nothing")
    #expect(
      problem { $0["info"] = ["summary": "x"] }
        == "p.json: info.name: expected a string, found nothing")
    #expect(
      problem { $0["picture"] = ["colour": "blue"] }
        == "p.json: picture.colour: expected one of 'rgb', 'rgba', 'gray', 'luma', 'ycbcr', "
        + "'ycbcr-jpeg', found 'blue'")
    #expect(
      problem { $0["code"] = "x" }
        == "p.json: plugin.code: expected only aviary_plugin, info, picture, variants, found an unknown "
        + "member")
    #expect {
      try Plugin.architecture(path: "p.json", declared: [])
    } throws: {
      "\($0)" == "p.json: plugin: expected an object, found an array"
    }
  }
}

extension JSON {
  /// The object with one more member.
  fileprivate func adding(_ name: String, _ value: JSON) -> JSON {
    .object((object ?? [:]).merging([name: value]) { $1 })
  }
}
