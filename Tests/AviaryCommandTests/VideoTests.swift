import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

/// `aviary video`, held against ffmpeg's own programs.
@Suite("aviary video", .serialized)
struct VideoTests {
  /// Whether ffmpeg's programs are there.
  private static let isThere = ["ffmpeg", "ffprobe"].allSatisfy { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }
  private static let word: Comment = "ffmpeg and ffprobe are not on PATH"

  /// A clip of ffmpeg's test source with a tone: 64x48, of 8 tenths of a second unless stated.
  private func clip(
    _ path: String, source: String = "testsrc2=s=64x48:r=25:d=0.8", filter: String = "null",
    tags: [String] = [
      "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range",
      "tv",
    ], pixels: String = "yuv420p", more: [String] = []
  ) throws {
    try Tool.run(
      [
        "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i",
        "sine=d=0.8",
      ]
        + ["-vf", filter, "-c:v", "libx264", "-pix_fmt", pixels, "-c:a", "aac"] + tags + more
        + [path])
  }

  /// What ffprobe says of a file, with all frames.
  private func probe(_ path: String) throws -> (video: [String: Any], all: [String: Any]) {
    let folder = try TemporaryFolder()
    let file = folder.file("answer.json")
    try Tool.run([
      "sh", "-c",
      "ffprobe -v error -count_frames -show_streams -show_format -show_frames -of json \"$0\" > \"$1\"",
      path, file,
    ])
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
    let all = try #require(object as? [String: Any])
    let streams = try #require(all["streams"] as? [[String: Any]])
    return (try #require(streams.first { $0["codec_type"] as? String == "video" }), all)
  }

  private func kinds(_ all: [String: Any]) -> [String] {
    (all["streams"] as? [[String: Any]] ?? []).compactMap { $0["codec_name"] as? String }.sorted()
  }

  /// The times of the video's frames, in its own unit.
  private func times(_ all: [String: Any]) -> [Int] {
    (all["frames"] as? [[String: Any]] ?? []).filter { $0["media_type"] as? String == "video" }
      .compactMap { $0["pts"] as? Int }
  }

  /// Checksums of all that a file has in its streams.
  private func checksums(_ path: String) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let file = folder.file("sums")
    try Tool.run([
      "ffmpeg", "-v", "error", "-i", path, "-map", "0", "-c", "copy", "-f", "framemd5", file,
    ])
    return Array(try Data(contentsOf: URL(filePath: file)))
  }

  @Test(
    "frames, their times, the duration, sound and colour tags stay", .enabled(if: isThere, word),
    arguments: [("mp4", "null"), ("mp4", "select='not(eq(mod(n,5),2))'"), ("mkv", "null")])
  func stays(_ ending: String, _ filter: String) throws {
    let folder = try TemporaryFolder()
    let input = folder.file("in.\(ending)")
    // A rate that varies, where frames are left out.
    try clip(input, filter: filter, more: filter == "null" ? [] : ["-fps_mode", "vfr"])
    let output = folder.file("out.\(ending)")
    let run = try Outcome([
      "video", "nearest", input, "-o", output, "--scale", "2", "--segment", "7",
    ])
    try #require(run.status == 0, "\(run.error)")
    #expect(run.error == "")
    let (before, after) = (try probe(input), try probe(output))
    #expect(after.video["width"] as? Int == 128 && after.video["height"] as? Int == 96)
    #expect(after.video["nb_read_frames"] as? String == before.video["nb_read_frames"] as? String)
    for tag in [
      "color_range", "color_space", "color_transfer", "color_primaries", "pix_fmt", "time_base",
    ] {
      #expect(after.video[tag] as? String == before.video[tag] as? String, "\(tag)")
    }
    let (old, new) = (times(before.all), times(after.all))
    // Containers may begin with another time; how far frames are apart stays.
    #expect(!old.isEmpty && new.map { $0 - new[0] } == old.map { $0 - old[0] })
    #expect(kinds(after.all) == kinds(before.all))
    func seconds(_ all: [String: Any]) -> Double {
      ((all["format"] as? [String: Any])?["duration"] as? String).flatMap(Double.init) ?? 0
    }
    #expect(abs(seconds(after.all) - seconds(before.all)) < 0.045)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["in.\(ending)", "out.\(ending)"])
  }

  @Test(
    "colours come back as they were", .enabled(if: isThere, word),
    arguments: ["yuv420p", "yuv444p10le"])
  func colours(_ pixels: String) throws {
    let folder = try TemporaryFolder()
    let input = folder.file("in.mkv")
    let clips = ["red", "0x2080C0", "0xF0E0D0"]
    for (number, colour) in clips.enumerated() {
      try clip(
        input, source: "color=\(colour):s=32x32:r=25:d=0.2", filter: "scale=out_color_matrix=bt709",
        pixels: pixels)
      let output = folder.file("out-\(number).mkv")
      let run = try Outcome(["video", "nearest", input, "-o", output, "--scale", "2"])
      try #require(run.status == 0, "\(run.error)")
      // The same pixel of both, as luma and colour differences are stored.
      let values = try [input, output].map { path -> [UInt8] in
        let raw = folder.file("raw")
        try Tool.run([
          "ffmpeg", "-v", "error", "-y", "-i", path, "-vf", "crop=2:2:8:8", "-frames:v", "1",
          "-pix_fmt", "yuv444p", "-f", "rawvideo", raw,
        ])
        return Array(try Data(contentsOf: URL(filePath: raw)))
      }
      let differences = zip(values[0], values[1]).map { abs(Int($0) - Int($1)) }
      #expect(differences.count == 12 && differences.allSatisfy { $0 <= 2 }, "\(colour): \(values)")
    }
  }

  @Test("killed in the middle, it goes on to the same result", .enabled(if: isThere, word))
  func killed() throws {
    let folder = try TemporaryFolder()
    let input = folder.file("in.mp4")
    try clip(input, source: "testsrc2=s=64x48:r=25:d=4")
    func arguments(_ name: String) -> [String] {
      [
        "video", "bicubic", input, "-o", folder.file(name), "--scale", "2", "--segment", "5",
        "--threads", "1", "--quiet",
      ]
    }
    let whole = try Outcome(arguments("whole.mp4"))
    try #require(whole.status == 0, "\(whole.error)")
    let process = Process()
    process.executableURL = Outcome.program
    process.arguments = arguments("parted.mp4")
    process.environment = ProcessInfo.processInfo.environment.merging(["AVIARY_TUNE": "never"]) {
      $1
    }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    let second = folder.file("parted.mp4.aviary/000001.nut")
    while process.isRunning, !FileManager.default.fileExists(atPath: second) { usleep(1_000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(!FileManager.default.fileExists(atPath: folder.file("parted.mp4")))
    // With other options it is not the same work.
    let other = try Outcome(arguments("parted.mp4") + ["--ensemble"])
    expectFailure(
      other, 73,
      "\(folder.file("parted.mp4")).aviary: holds a part of \(folder.file("parted.mp4")) that was "
        + "begun with another input or other options; remove it, or use --restart")
    let resumed = try Outcome(arguments("parted.mp4").dropLast() + ["--json"])
    try #require(resumed.status == 0, "\(resumed.error)")
    let before = try #require(try resumed.json()["doneBefore"] as? Int)
    #expect(before >= 5 && before < 100 && before % 5 == 0)
    #expect(try checksums(folder.file("parted.mp4")) == checksums(folder.file("whole.mp4")))
  }

  @Test(
    "subtitles and chapters are copied, or refused before anything is computed",
    .enabled(if: isThere, word))
  func subtitles() throws {
    let folder = try TemporaryFolder()
    let text = try folder.file("a.srt", Array("1\n00:00:00,100 --> 00:00:00,600\nAviary\n".utf8))
    let plain = folder.file("plain.mkv"), input = folder.file("in.mkv")
    try clip(plain)
    try Tool.run([
      "ffmpeg", "-v", "error", "-i", plain, "-i", text, "-map", "0", "-map", "1", "-c", "copy",
      "-metadata:s:s:0", "language=eng", "-metadata", "title=Clip", input,
    ])
    let output = folder.file("out.mkv")
    let run = try Outcome(["video", "nearest", input, "-o", output, "--scale", "2"])
    try #require(run.status == 0, "\(run.error)")
    let after = try probe(output)
    #expect(kinds(after.all) == ["aac", "h264", "subrip"])
    let streams = try #require(after.all["streams"] as? [[String: Any]])
    let texts = try #require(streams.first { $0["codec_name"] as? String == "subrip" })
    #expect((texts["tags"] as? [String: String])?["language"] == "eng")
    let tags = (after.all["format"] as? [String: Any])?["tags"] as? [String: String]
    #expect(tags?["title"] == "Clip")
    let refused = try Outcome([
      "video", "nearest", input, "-o", folder.file("out.mp4"), "--scale", "2",
    ])
    #expect(refused.status == 65 && refused.output == "")
    #expect(refused.error.contains("--no-subtitles leaves those out"))
    let without = try Outcome([
      "video", "nearest", input, "-o", folder.file("out.mp4"), "--scale", "2", "--no-subtitles",
      "--restart",
    ])
    #expect(without.status == 0, "\(without.error)")
  }

  @Test("a sequence of images goes into a video, and a video into one", .enabled(if: isThere, word))
  func sequences() throws {
    let folder = try TemporaryFolder()
    try clip(folder.file("in.mp4"))
    let first = try Outcome([
      "video", "nearest", folder.file("in.mp4"), "-o", folder.file("frames/f%03d.png"), "--scale",
      "1",
    ])
    try #require(first.status == 0, "\(first.error)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("frames")).sorted()
    #expect(names.count == 20 && names.first == "f001.png" && names.last == "f020.png")
    // As the program itself enlarges images.
    let second = try Outcome([
      "video", "nearest", folder.file("frames/f%03d.png"), "-o", folder.file("large/f%03d.png"),
      "--scale", "2",
    ])
    try #require(second.status == 0, "\(second.error)")
    let alone = try Outcome([
      "run", "nearest", folder.file("frames/f007.png"), "-o", folder.file("alone.png"), "--scale",
      "2",
    ])
    try #require(alone.status == 0, "\(alone.error)")
    #expect(
      try Image(contentsOf: folder.file("alone.png"))
        == Image(contentsOf: folder.file("large/f007.png")))
    let third = try Outcome([
      "video", "nearest", folder.file("large/f%03d.png"), "-o", folder.file("out.mp4"), "--scale",
      "1",
      "--rate", "30000/1001",
    ])
    try #require(third.status == 0, "\(third.error)")
    let video = try probe(folder.file("out.mp4")).video
    #expect(video["nb_read_frames"] as? String == "20")
    #expect(video["r_frame_rate"] as? String == "30000/1001")
    #expect(video["color_space"] as? String == "bt709" && video["pix_fmt"] as? String == "yuv420p")
    try FileManager.default.removeItem(atPath: folder.file("frames/f012.png"))
    expectFailure(
      try Outcome([
        "video", "nearest", folder.file("frames/f%03d.png"), "-o", folder.file("x/f%03d.png"),
        "--scale", "2",
      ]), 65,
      "\(folder.file("frames/f%03d.png")): expected numbers without a gap from 1 to 20, found none of "
        + "number 12")
  }

  @Test("one frame to look at beforehand", .enabled(if: isThere, word))
  func preview() throws {
    let folder = try TemporaryFolder()
    try clip(folder.file("in.mp4"))
    let run = try Outcome([
      "video", "nearest", folder.file("in.mp4"), "-o", folder.file("look.png"), "--scale", "2",
      "--preview", "0.4",
    ])
    try #require(run.status == 0, "\(run.error)")
    let header = try ImageReader(path: folder.file("look.png")).header
    #expect(header.width == 128 && header.height == 96)
    let late = try Outcome([
      "video", "nearest", folder.file("in.mp4"), "-o", folder.file("late.png"), "--scale", "2",
      "--preview", "40",
    ])
    expectFailure(
      late, 65, "\(folder.file("in.mp4")): expected a frame at 40.0 s, found none so late")
  }

  @Test("what cannot be done is said before anything is computed", .enabled(if: isThere, word))
  func refusals() throws {
    let folder = try TemporaryFolder()
    let input = folder.file("in.mp4"), output = folder.file("out.mp4")
    try clip(input)
    let odd = try Outcome(["video", "nearest", input, "-o", output, "--width", "75"])
    #expect(odd.status == 64)
    #expect(odd.error.contains("expected sides in multiples of 2 and 2 for yuv420p"))
    let image = folder.file("out.png")
    expectFailure(
      try Outcome(["video", "nearest", input, "-o", image, "--scale", "2"]), 64,
      "\(image): expected the name of a video, or names of images with %d (--preview writes one "
        + "image), found that of one PNG image")
    let encoder = try Outcome([
      "video", "nearest", input, "-o", output, "--scale", "2", "--encoder", "none",
    ])
    expectFailure(
      encoder, 64, "\(output): expected an encoder that ffmpeg has (ffmpeg -encoders), found none")
    let text = try Outcome([
      "video", "nearest", fixture("pictures/expected.json"), "-o", output, "--scale", "2",
    ])
    #expect(text.status != 0 && text.output == "")
    let none = try Outcome(
      ["video", "nearest", input, "-o", output, "--scale", "2"], environment: ["PATH": folder.path])
    expectFailure(
      none, 69,
      "ffmpeg: not found on PATH; videos are read and written by ffmpeg's programs (Debian: apt-get "
        + "install ffmpeg)")
    try Tool.run([
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-c:v",
      "libx264",
      "-flags", "+ildct+ilme", "-x264opts", "tff=1", folder.file("fields.mp4"),
    ])
    let fields = try Outcome([
      "video", "nearest", folder.file("fields.mp4"), "-o", output, "--scale", "2",
    ])
    expectFailure(
      fields, 65,
      "\(folder.file("fields.mp4")): expected whole frames (--deinterlace makes them), found "
        + "interlaced ones, of two half images each")
    #expect(!FileManager.default.fileExists(atPath: output))
  }
}
