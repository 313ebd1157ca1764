internal import Aviary
internal import AviaryCompute
internal import AviaryGraph

extension GuardCase {
  /// What is guarded. The bars are well below what was measured when they were set, so that another
  /// processor or a busy one does not fall short, and well above what would be left without the
  /// kernel.
  ///
  /// - Throws: `GraphError`, if a network here is none.
  static func all() throws -> [GuardCase] {
    let exact = PlanOptions(exact: true)
    let bfloat16 = PlanOptions(precision: .bfloat16)
    func same(_ channels: Int, _ count: Int) throws -> Graph {
      try Graph(channels: channels) { image in
        [(0..<count).reduce(image) { $0.convolution("layer\($1)", channels, kernel: 3) }]
      }
    }
    let deep = try same(64, 4)
    var cases = [
      GuardCase(
        name: "Winograd's convolutions",
        other: Way(name: "direct", graphs: [deep], size: [1, 256, 256], options: exact),
        ours: Way(name: "Winograd", graphs: [deep], size: [1, 256, 256]), bar: 1.5),
      GuardCase(
        name: "Winograd's convolutions, many small images",
        other: Way(name: "direct", graphs: [deep], size: [16, 64, 64], options: exact),
        ours: Way(name: "Winograd", graphs: [deep], size: [16, 64, 64]), bar: 1.4),
    ]
    cases += try [
      largeKernel(), winogradPhases(), fusedEpilogue(), prelu(), transposed(), fewOutputs(),
      concatenation(), attention(),
      measured(),
    ]
    if Engine.hasBfloat16 {
      let strided = try Graph(channels: 64) { image in
        [
          image.convolution("down", 128, kernel: 3, stride: 2).relu()
            .convolution("next", 128, kernel: 1)
        ]
      }
      cases.append(
        GuardCase(
          name: "bfloat16 in strided and 1x1 convolutions",
          other: Way(name: "float32", graphs: [strided], size: [1, 256, 256]),
          ours: Way(name: "bfloat16", graphs: [strided], size: [1, 256, 256], options: bfloat16),
          bar: 1.2))
    }
    return cases
  }

  /// A kernel of 17x17 by the fast Fourier transform.
  private static func largeKernel() throws -> GuardCase {
    let network = try Graph(channels: 16) { [$0.convolution("large", 16, kernel: 17)] }
    return GuardCase(
      name: "FFT convolution of 17x17",
      other: Way(
        name: "direct", graphs: [network], size: [1, 128, 128], options: PlanOptions(exact: true)),
      ours: Way(name: "FFT", graphs: [network], size: [1, 128, 128]), bar: 3)
  }

  /// Strided and transposed convolutions by Winograd's algorithm.
  private static func winogradPhases() throws -> GuardCase {
    let network = try Graph(channels: 64) { image in
      [
        image.convolution("down", 128, kernel: 3, stride: 2).relu()
          .transposedConvolution("up", 64, kernel: 3, stride: 2).relu()
      ]
    }
    return GuardCase(
      name: "Winograd's convolutions of stride 2",
      other: Way(
        name: "direct", graphs: [network], size: [1, 256, 256], options: PlanOptions(exact: true)),
      ours: Way(name: "Winograd", graphs: [network], size: [1, 256, 256]), bar: 1.2)
  }

  /// A residual block in one plan, against its operations in plans of their own.
  private static func fusedEpilogue() throws -> GuardCase {
    let whole = try Graph(channels: 64) { image in
      [image + image.convolution("a", 64, kernel: 3).relu().convolution("b", 64, kernel: 3)]
    }
    let parts = try [
      Graph(channels: 64) { [$0.convolution("a", 64, kernel: 3)] },
      Graph(channels: 64) { [$0.relu()] },
      Graph(channels: 64) { [$0.convolution("b", 64, kernel: 3)] },
      Graph(channels: 64) { [$0 + $0] },
    ]
    return GuardCase(
      name: "activation and addition inside convolutions",
      other: Way(name: "one by one", graphs: parts, size: [1, 256, 256]),
      ours: Way(name: "fused", graphs: [whole], size: [1, 256, 256]), bar: 1.15)
  }

  /// PReLU after a convolution costs what ReLU does.
  private static func prelu() throws -> GuardCase {
    func network(_ activation: (Value) -> Value) throws -> Graph {
      try Graph(channels: 1) { image in
        [
          activation(image.convolution("a", 56, kernel: 5)).convolution("b", 12, kernel: 1)
        ]
      }
    }
    return GuardCase(
      name: "PReLU as cheap as ReLU",
      other: Way(
        name: "ReLU", graphs: [try network { $0.relu() }], size: [1, 256, 256]),
      ours: Way(
        name: "PReLU", graphs: [try network { $0.prelu("slopes") }], size: [1, 256, 256]),
      bar: 0.6)
  }

  /// A transposed convolution with bias and activation, against a convolution of as many
  /// multiplications: oneDNN's own is five to ten times slower.
  private static func transposed() throws -> GuardCase {
    GuardCase(
      name: "transposed convolution with bias and activation",
      other: Way(
        name: "convolution of stride 2",
        graphs: [
          try Graph(channels: 64) { [$0.convolution("down", 128, kernel: 3, stride: 2).relu()] }
        ], size: [1, 256, 256]),
      ours: Way(
        name: "transposed convolution",
        graphs: [
          try Graph(channels: 128) {
            [
              $0.transposedConvolution(
                "up", 64, kernel: 3, stride: 2, padding: PaddingAmounts(1, 1, 0, 0)
              )
              .relu()
            ]
          }
        ], size: [1, 128, 128]), bar: 0.5)
  }

  /// Few output channels waste a vector; the sum of taps does not pay for all of it.
  private static func fewOutputs() throws -> GuardCase {
    func network(_ outChannels: Int) throws -> Graph {
      try Graph(channels: 64) { image in
        [image.convolution("a", 64, kernel: 3).relu().convolution("last", outChannels, kernel: 3)]
      }
    }
    return GuardCase(
      name: "few output channels",
      other: Way(name: "to 16 channels", graphs: [try network(16)], size: [1, 256, 256]),
      ours: Way(name: "to 3 channels", graphs: [try network(3)], size: [1, 256, 256]), bar: 0.9)
  }

  /// A concatenation of convolutions costs little beside them.
  private static func concatenation() throws -> GuardCase {
    let whole = try Graph(channels: 48) { image in
      let a = image.convolution("a", 48, kernel: 3).relu()
      let b = a.convolution("b", 48, kernel: 3).relu()
      let c = b.convolution("c", 48, kernel: 3).relu()
      return [Value.concatenate([a, b, c]).convolution("gather", 48, kernel: 1)]
    }
    let parts = try [
      Graph(channels: 48) { image in
        let b = image.convolution("a", 48, kernel: 3).relu().convolution("b", 48, kernel: 3).relu()
        return [b.convolution("c", 48, kernel: 3).relu()]
      },
      Graph(channels: 144) { [$0.convolution("gather", 48, kernel: 1)] },
    ]
    return GuardCase(
      name: "concatenation without copies",
      other: Way(name: "its parts, in two plans", graphs: parts, size: [1, 256, 256]),
      ours: Way(name: "with the concatenation", graphs: [whole], size: [1, 256, 256]), bar: 0.9)
  }

  /// Two blocks of Swin Transformer of SwinIR's light size, one shifted, against the operations that
  /// attention is made of.
  private static func attention() throws -> GuardCase {
    let fused = try Graph(channels: 60) { image in
      let tokens = image.applying(.permute(Permute([0, 2, 3, 1])))
      let result = [0, 4].reduce(tokens) { x, shift in
        let attention = WindowAttention(heads: 6, window: 8, shift: Size(shift))
        let attended = x.layerNormalization("\(shift).norm1").linear("\(shift).qkv", 180)
          .applying(.permute(Permute([0, 3, 1, 2]))).windowAttention("\(shift).attn", attention)
          .applying(.permute(Permute([0, 2, 3, 1])))
        let y = attended.linear("\(shift).proj", 60) + x
        let hidden = y.layerNormalization("\(shift).norm2").linear("\(shift).fc1", 120)
        return hidden.activation(.gelu(approximate: false)).linear("\(shift).fc2", 60) + y
      }
      return [result.applying(.permute(Permute([0, 3, 1, 2])))]
    }
    return GuardCase(
      name: "windowed attention in one pass",
      other: Way(
        name: "its operations", graphs: [try fused.expanded().graph], size: [1, 128, 128]),
      ours: Way(name: "fused", graphs: [fused], size: [1, 128, 128]), bar: 2)
  }

  /// Choices by measurement are not behind those by estimate.
  private static func measured() throws -> GuardCase {
    let (network, _) = try Zoo(folders: []).untrained("residual-cae")
    let options = PlanOptions(tuning: Tuning(.always))
    return GuardCase(
      name: "choices by measurement",
      other: Way(name: "estimated", graphs: [network.graph], size: [4, 64, 64]),
      ours: Way(
        name: "measured", graphs: [network.graph], size: [4, 64, 64], options: options), bar: 0.97)
  }
}
