import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary diff")
struct DiffTests {
  @Test("one network in two containers is the same")
  func same() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), path]).status == 0)
    let diff = try Outcome(["diff", path, fixture("weights/whole.pt")])
    #expect(diff.status == 0)
    #expect(diff.error == "")
    // The weights alone do not say which network they are of.
    #expect(
      diff.output.contains(
        "Result  equal weights; whether the networks are the same is not known: that of B is assumed"
      )
    )
    #expect(diff.output.contains("assumed: activation: \"relu\", padding: \"same\""))
    let exported = folder.file("tiny.pt")
    #expect(try Outcome(["convert", path, exported]).status == 0)
    let stated = try Outcome(["diff", path, exported])
    #expect(stated.status == 0)
    #expect(stated.output.contains("Result  the same network with equal weights"))
    let json = try Outcome(["diff", path, fixture("weights/whole.pt"), "--all", "--json"]).json()
    #expect(json["isSame"] as? Bool == true)
    #expect(json["isSameNetwork"] as? Bool == true)
    #expect(json["equal"] as? Int == 6)
    #expect((json["tensors"] as? [[String: Any]])?.count == 6)
    let sides = try ["a", "b"].map { try #require(json[$0] as? [String: Any]) }
    #expect(sides[0]["contentHash"] as? String == sides[1]["contentHash"] as? String)
  }

  @Test("networks without weights are the same where they compute the same")
  func withoutWeights() throws {
    let (shuffle, other) = (
      fixture("onnx/depth-to-space.onnx"), fixture("onnx/space-to-depth.onnx")
    )
    let same = try Outcome(["diff", shuffle, shuffle])
    #expect(same.status == 0, "\(same.error)")
    #expect(same.output.contains("Result  the same network, without weights"))
    #expect(try Outcome(["diff", shuffle, other]).status == 1)
  }

  @Test("what differs is listed, the most different first, and the status is 1")
  func different() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("half.h5")
    let edit = try Outcome(["edit", fixture("weights/whole.pt"), path, "--cast", "bfloat16"])
    #expect(edit.status == 0)
    let diff = try Outcome(["diff", fixture("weights/whole.pt"), path, "--json"])
    #expect(diff.status == 1)
    #expect(diff.error == "")
    let json = try diff.json()
    #expect(json["isSame"] as? Bool == false)
    #expect(json["isSameNetwork"] as? Bool == true)
    let tensors = try #require(json["tensors"] as? [[String: Any]])
    let relative = tensors.compactMap { $0["relative"] as? Double }
    #expect(!relative.isEmpty)
    #expect(relative == relative.sorted(by: >))
    // bfloat16 keeps eight bits: half of the last of them is the most that can be lost.
    #expect(relative.allSatisfy { $0 > 0 && $0 <= 1.0 / 256 })
  }

  @Test("tensors of other names are found by their values")
  func renamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("renamed.h5")
    let edit = try Outcome([
      "edit", fixture("weights/whole.pt"), path, "--rename", "conv{i}=layer_{i}",
    ])
    #expect(edit.status == 0)
    let diff = try Outcome(["diff", fixture("weights/whole.pt"), path])
    #expect(diff.status == 0)
    #expect(diff.output.contains("Other names  6 tensors, found by shapes and values"))
  }

  @Test("what only one side has is named")
  func onlyOne() throws {
    let diff = try Outcome(["diff", fixture("weights/whole.pt"), fixture("weights/missing.pt")])
    #expect(diff.status == 1)
    #expect(diff.output.contains("Only in A  conv3.bias [1]"))
    #expect(diff.output.contains("PyTorch zip, not recognised"))
  }

  @Test("a file that is none is one line")
  func absent() throws {
    expectFailure(
      try Outcome(["diff", "/absent.h5", fixture("weights/whole.pt")]), 66,
      "/absent.h5: cannot be read: no such file or directory")
  }
}
