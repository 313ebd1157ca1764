internal import AviaryGraph

/// Two convolutions used again and again, on an enlarged image.
///
/// Tai, Yang, Liu: Image Super-Resolution via Deep Recursive Residual Network. References: jt-zero's and
/// yjn870's code, from their facts. Their ReLUs work in place: what is added in each round is what the
/// first of them has already cut at zero.
enum DRRN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 128
    /// How often the two convolutions are used.
    var recursions = 25
    var scale: Int { 1 }

    var problem: String? {
      (1...100).contains(recursions) ? nil : "recursions: expected 1 to 100, found \(recursions)"
    }
  }

  static let info = ArchitectureInfo(
    "drrn", summary: "Two convolutions used again and again, on an enlarged image",
    paper: "https://doi.org/10.1109/CVPR.2017.298", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "b1u25": Configuration(),
    "b1u9": Configuration(recursions: 9),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image = input.relu()
    let start = image.convolution("input", c.features, kernel: 3, bias: false).relu()
    var x = start
    for round in 0..<c.recursions {
      let isShared = round > 0
      x = (isShared ? x.relu() : x).convolution(
        "conv1", c.features, kernel: 3, bias: false, shared: isShared
      ).relu()
      x = x.convolution("conv2", c.features, kernel: 3, bias: false, shared: isShared) + start
    }
    return [x.relu().convolution("output", c.channels, kernel: 3, bias: false) + image]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("input"), weights.convolution("conv2") != nil else {
      return []
    }
    return [
      Proposal(
        Configuration(channels: first[1], features: first[0]), assumed: ["recursions"])
    ]
  }

  static let publishedNames = [
    NameMap("muneebaadil/sisr-irl", ["head": "input", "tail": "output"]),
    NameMap(
      "yjn870/DRRN-pytorch",
      [
        "rbs.0.h0.module.1": "input", "rbs.0.ru.module.0.module.1": "conv1",
        "rbs.0.ru.module.1.module.1": "conv2", "rec.module.1": "output",
      ]),
  ]

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: .bicubic, scales: [2, 3, 4])
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DRRN.self, $0) }
