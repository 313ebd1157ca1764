import Aviary
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import Testing

/// An image computed in tiles is the image computed whole.
@Suite struct TilingTests {
  /// Architectures and configurations that between them have stride 2, `.same` borders, transposed
  /// convolutions, pixel shuffle, interpolation and convolutions without padding.
  static let networks: [(name: String, configuration: JSON, scale: Int)] = [
    ("plain-cae", ["features": [4, 6, 8]], 1),
    ("plain-cae", ["features": [4, 6, 8], "padding": "valid"], 2),
    ("plain-cae", ["features": [4, 6], "kernel": 5, "origin": "pytorch"], 1),
    ("residual-cae", ["features": [6, 8]], 1),
    ("residual-cae", ["features": [6, 8], "residual": true], 3),
    ("fusion-cae", ["features": [6, 8], "blocks": [1, 1]], 2),
    ("fusion-cae", ["features": [6, 8], "blocks": [1, 1], "scale": 3], 3),
    ("fusion-cae", ["features": [4, 6, 8], "blocks": [1, 1, 1], "scale": 1], 2),
    ("fusion-cae", ["features": [6], "blocks": [1], "gate": 4], 2),
    ("fusion-cae", ["features": [6], "blocks": [1], "convolutions": 3, "gate": 0, "scale": 3], 3),
    ("srcnn", ["filters": [6, 4]], 3),
    ("srcnn", ["filters": [6, 4], "padding": "valid", "channels": 3], 2),
    ("fsrcnn", ["features": 6, "shrunk": 4, "mapping": 2, "scale": 3], 3),
    ("fsrcnn", ["features": 6, "shrunk": 4, "mapping": 1, "origin": "keras"], 2),
    ("espcn", ["features": [6, 4], "scale": 4], 4),
    ("vdsr", ["features": 6, "layers": 6], 2),
    ("bicubic", ["scale": 3], 3),
    ("bilinear", ["scale": 2], 2),
    ("lanczos", ["scale": 2], 2),
    ("nearest", ["scale": 4], 4),
  ]

  @Test(arguments: networks.indices, [(97, 131), (64, 64), (1, 45), (33, 1)])
  func tilesGiveWhatTheWholeGives(network: Int, size: (height: Int, width: Int)) throws {
    let (name, configuration, scale) = TilingTests.networks[network]
    let model = try Models.random(name, configuration, seed: UInt64(network))
    let picture = Models.picture(height: size.height, width: size.width, .rgb)
    var options = UpscalerOptions(threads: 1, exact: true)
    options.tile = 4_096
    let whole = try Upscaler(model, scale: scale, options: options).enlarge(picture)
    // So small that most are raised to the least that the overlap allows.
    options.tile = 16
    let tiled = try Upscaler(model, scale: scale, options: options).enlarge(picture)
    #expect(whole.width == size.width * scale && whole.height == size.height * scale)
    #expect(try whole.largestDifference(from: tiled) <= 1e-5)
  }

  @Test func tilesAreReallySmall() throws {
    let model = try Models.random("residual-cae", ["features": [6, 8]], seed: 1)
    var options = UpscalerOptions(threads: 1)
    options.tile = 64
    let folder = try TemporaryFolder()
    try Models.picture(height: 150, width: 140, .rgb).write(to: folder.file("in.png"))
    let report = try Upscaler(model, scale: 1, options: options).enlarge(
      from: folder.file("in.png"), to: folder.file("out.png"))
    #expect(report.tileWidth == 64 && report.tileHeight == 64)
    // Of 64 pixels 12 are spoilt at each inner end: 52 kept of the first, 40 of each further one,
    // and 52 of the last. So 150 rows take four, 140 columns three.
    #expect(report.tiles == 4 * 3)
  }

  @Test func bandsOfAFileGiveWhatTheWholeGives() throws {
    for (name, configuration, scale) in [
      ("srcnn", ["filters": [6, 4]] as JSON, 2), ("espcn", ["features": [6, 4], "scale": 3], 3),
    ] {
      let model = try Models.random(name, configuration, seed: 5)
      let folder = try TemporaryFolder()
      for format in [
        PixelFormat(.rgb, hasAlpha: true, bitDepth: .sixteen), PixelFormat(.gray, bitDepth: .eight),
      ] {
        let picture = Models.picture(height: 203, width: 61, format.color, format)
          .rounded(to: format.bitDepth)
        try picture.write(to: folder.file("in.png"))
        var options = UpscalerOptions(threads: 1, exact: true)
        options.tile = 32
        let upscaler = try Upscaler(model, scale: scale, options: options)
        _ = try upscaler.enlarge(from: folder.file("in.png"), to: folder.file("out.png"))
        let written = try Image(contentsOf: folder.file("out.png"))
        #expect(written.format == format)
        let inMemory = try upscaler.enlarge(picture).rounded(to: format.bitDepth)
        // Equal but where rounding tips a value that tiles compute in another order.
        #expect(
          try written.largestDifference(from: inMemory) <= 1.01 / Float(format.bitDepth.maximum))
      }
    }
  }

  @Test func memoryBoundsTiles() throws {
    let model = try Models.random("residual-cae", ["features": [16, 32]], seed: 2)
    let picture = Models.picture(height: 256, width: 256, .rgb)
    var options = UpscalerOptions(threads: 1, memory: 2 << 20, exact: true)
    let bounded = try Upscaler(model, scale: 1, options: options).enlarge(picture)
    options.memory = 1 << 30
    let whole = try Upscaler(model, scale: 1, options: options).enlarge(picture)
    #expect(try whole.largestDifference(from: bounded) <= 1e-5)
    options.memory = 1 << 10
    let tooLittle = try Upscaler(model, scale: 1, options: options)
    let error = #expect(throws: AviaryError.self) { try tooLittle.enlarge(picture) }
    #expect(
      error?.description.contains(" MiB are needed, 0 MiB allowed (") == true,
      "\(error?.description ?? "")")
  }
}
