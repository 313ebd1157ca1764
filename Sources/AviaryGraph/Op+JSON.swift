extension Op {
  /// The operation's name in JSON and in messages.
  public var name: String {
    switch self {
    case .convolution: "convolution"
    case .transposedConvolution: "transposedConvolution"
    case .linear: "linear"
    case .maxPool: "maxPool"
    case .averagePool: "averagePool"
    case .globalAveragePool: "globalAveragePool"
    case .batchNormalization: "batchNormalization"
    case .activation(let activation): activation.name
    case .prelu: "prelu"
    case .add: "add"
    case .subtract: "subtract"
    case .multiply: "multiply"
    case .scale: "scale"
    case .offset: "offset"
    case .concatenate: "concatenate"
    case .slice: "slice"
    case .pixelShuffle: "pixelShuffle"
    case .pixelUnshuffle: "pixelUnshuffle"
    case .resize: "resize"
    case .pad: "pad"
    case .crop: "crop"
    case .dropout: "dropout"
    case .reduce: "reduce"
    case .matmul: "matmul"
    case .softmax: "softmax"
    case .layerNormalization: "layerNormalization"
    case .reshape: "reshape"
    case .permute: "permute"
    case .roll: "roll"
    }
  }

  /// Every name that an operation can have in JSON.
  static let names = [
    "convolution", "transposedConvolution", "linear", "maxPool", "averagePool",
    "globalAveragePool", "batchNormalization", "relu", "leakyRelu", "elu", "gelu", "silu",
    "sigmoid", "tanh", "clamp", "prelu", "add", "subtract", "multiply", "scale", "offset",
    "concatenate", "slice", "pixelShuffle", "pixelUnshuffle", "resize", "pad", "crop", "dropout",
    "reduce", "matmul", "softmax", "layerNormalization", "reshape", "permute", "roll",
  ]

  /// The attributes as JSON members. Those that have their default are left out.
  var attributes: [String: JSON] {
    switch self {
    case .convolution(let c):
      return attributes(
        ("filters", .int(c.filters), nil), ("kernel", c.kernel.json, nil),
        ("stride", c.stride.json, 1), ("dilation", c.dilation.json, 1),
        ("groups", .int(c.groups), 1), ("border", c.border.json, 0), ("bias", .bool(c.bias), true))
    case .transposedConvolution(let c):
      return attributes(
        ("filters", .int(c.filters), nil), ("kernel", c.kernel.json, nil),
        ("stride", c.stride.json, 1), ("groups", .int(c.groups), 1), ("crops", c.crops.json, 0),
        ("bias", .bool(c.bias), true))
    case .linear(let features, let bias):
      return attributes(("features", .int(features), nil), ("bias", .bool(bias), true))
    case .maxPool(let pool): return pool.attributes
    case .averagePool(let pool, let countsPadding):
      return pool.attributes.merging(
        attributes(("countsPadding", .bool(countsPadding), nil))
      ) { $1 }
    case .batchNormalization(let b):
      return attributes(
        ("epsilon", .number(b.epsilon), 1e-5), ("momentum", .number(b.momentum), 0.1),
        ("scale", .bool(b.scale), true), ("center", .bool(b.center), true))
    case .activation(let activation): return activation.attributes
    case .prelu(let perChannel): return attributes(("perChannel", .bool(perChannel), nil))
    case .scale(let values), .offset(let values):
      return ["values": values.count == 1 ? .number(values[0]) : .array(values.map(JSON.number))]
    case .slice(let start, let count): return ["start": .int(start), "count": .int(count)]
    case .pixelShuffle(let factor, let order), .pixelUnshuffle(let factor, let order):
      return attributes(
        ("factor", .int(factor), nil), ("order", .string(order.rawValue), "pytorch"))
    case .resize(let resize): return resize.attributes
    case .pad(let edges, let mode):
      return attributes(("edges", edges.json, nil), ("mode", .string(mode.rawValue), "zero"))
    case .crop(let edges): return ["edges": edges.json]
    case .dropout(let rate): return ["rate": .number(rate)]
    case .reduce(let r):
      return attributes(
        ("kind", .string(r.kind.rawValue), nil), ("dimensions", .ints(r.dimensions), nil),
        ("keepsDimensions", .bool(r.keepsDimensions), true))
    case .softmax(let dimension): return attributes(("dimension", .int(dimension), 1))
    case .layerNormalization(let dimensions, let epsilon):
      return attributes(
        ("dimensions", .int(dimensions), 1), ("epsilon", .number(epsilon), 1e-5))
    case .reshape(let shape): return ["shape": .ints(shape)]
    case .permute(let order): return ["order": .ints(order)]
    case .roll(let shifts, let dimensions):
      return ["shifts": .ints(shifts), "dimensions": .ints(dimensions)]
    case .globalAveragePool, .add, .subtract, .multiply, .concatenate, .matmul: return [:]
    }
  }

  /// Reads an operation from a node's members.
  ///
  /// - Throws: `GraphError` that names the node: an unknown operation or attribute, an absent
  ///   attribute, one of another type.
  init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    switch name {
    case "convolution":
      self = .convolution(
        Convolution(
          filters: try a.int("filters"), kernel: try a.size("kernel"),
          stride: try a.size("stride", default: 1), dilation: try a.size("dilation", default: 1),
          groups: try a.int("groups", default: 1), border: try a.border("border"),
          bias: try a.bool("bias", default: true)))
    case "transposedConvolution":
      self = .transposedConvolution(
        TransposedConvolution(
          filters: try a.int("filters"), kernel: try a.size("kernel"),
          stride: try a.size("stride", default: 1), groups: try a.int("groups", default: 1),
          crops: try a.edges("crops", default: Edges.none),
          bias: try a.bool("bias", default: true)))
    case "linear":
      self = .linear(features: try a.int("features"), bias: try a.bool("bias", default: true))
    case "maxPool": self = .maxPool(try Pool(&a))
    case "averagePool":
      self = .averagePool(try Pool(&a), countsPadding: try a.bool("countsPadding"))
    case "globalAveragePool": self = .globalAveragePool
    case "batchNormalization":
      self = .batchNormalization(
        BatchNormalization(
          epsilon: try a.number("epsilon", default: 1e-5),
          momentum: try a.number("momentum", default: 0.1),
          scale: try a.bool("scale", default: true), center: try a.bool("center", default: true)))
    case "relu": self = .activation(.relu)
    case "leakyRelu": self = .activation(.leakyRelu(slope: try a.number("slope")))
    case "elu": self = .activation(.elu(alpha: try a.number("alpha", default: 1)))
    case "gelu": self = .activation(.gelu(approximate: try a.bool("approximate", default: false)))
    case "silu": self = .activation(.silu)
    case "sigmoid": self = .activation(.sigmoid)
    case "tanh": self = .activation(.tanh)
    case "clamp":
      self = .activation(
        .clamp(minimum: try a.number("minimum"), maximum: try a.number("maximum")))
    case "prelu": self = .prelu(perChannel: try a.bool("perChannel"))
    case "add": self = .add
    case "subtract": self = .subtract
    case "multiply": self = .multiply
    case "scale": self = .scale(try a.numbers("values"))
    case "offset": self = .offset(try a.numbers("values"))
    case "concatenate": self = .concatenate
    case "slice": self = .slice(start: try a.int("start"), count: try a.int("count"))
    case "pixelShuffle":
      self = .pixelShuffle(
        factor: try a.int("factor"), order: try a.word("order", default: ChannelOrder.pytorch))
    case "pixelUnshuffle":
      self = .pixelUnshuffle(
        factor: try a.int("factor"), order: try a.word("order", default: ChannelOrder.pytorch))
    case "resize": self = .resize(try Resize(&a))
    case "pad": self = .pad(try a.edges("edges"), try a.word("mode", default: PadMode.zero))
    case "crop": self = .crop(try a.edges("edges"))
    case "dropout": self = .dropout(rate: try a.number("rate"))
    case "reduce":
      self = .reduce(
        Reduction(
          try a.word("kind"), dimensions: try a.ints("dimensions"),
          keepsDimensions: try a.bool("keepsDimensions", default: true)))
    case "matmul": self = .matmul
    case "softmax": self = .softmax(dimension: try a.int("dimension", default: 1))
    case "layerNormalization":
      self = .layerNormalization(
        dimensions: try a.int("dimensions", default: 1),
        epsilon: try a.number("epsilon", default: 1e-5))
    case "reshape": self = .reshape(try a.ints("shape"))
    case "permute": self = .permute(try a.ints("order"))
    case "roll": self = .roll(shifts: try a.ints("shifts"), dimensions: try a.ints("dimensions"))
    default:
      throw .unknownOperation(
        node: a.node, String(name.prefix(64)), nearest: name.nearest(in: Op.names))
    }
  }

  /// Members, less those that equal their default.
  private func attributes(_ members: (String, JSON, JSON?)...) -> [String: JSON] {
    Attributes.members(members)
  }
}

extension Attributes {
  static func members(_ members: [(String, JSON, JSON?)]) -> [String: JSON] {
    var result: [String: JSON] = [:]
    for (name, value, absent) in members where value != absent { result[name] = value }
    return result
  }
}

extension Activation {
  fileprivate var name: String {
    switch self {
    case .relu: "relu"
    case .leakyRelu: "leakyRelu"
    case .elu: "elu"
    case .gelu: "gelu"
    case .silu: "silu"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    case .clamp: "clamp"
    }
  }

  fileprivate var attributes: [String: JSON] {
    switch self {
    case .leakyRelu(let slope): ["slope": .number(slope)]
    case .elu(let alpha): Attributes.members([("alpha", .number(alpha), 1.0)])
    case .gelu(let approximate):
      Attributes.members([("approximate", .bool(approximate), false)])
    case .clamp(let minimum, let maximum):
      ["minimum": .number(minimum), "maximum": .number(maximum)]
    case .relu, .silu, .sigmoid, .tanh: [:]
    }
  }
}

extension Pool {
  fileprivate var attributes: [String: JSON] {
    Attributes.members([
      ("kernel", kernel.json, nil), ("stride", stride.json, kernel.json),
      ("border", border.json, 0),
    ])
  }

  /// The stride defaults to the kernel's size.
  fileprivate init(_ a: inout Attributes) throws(GraphError) {
    let kernel = try a.size("kernel")
    self.init(
      kernel: kernel, stride: try a.size("stride", default: kernel), border: try a.border("border"))
  }
}

extension Resize {
  private enum Word: String, CaseIterable {
    case nearest
    case linear
    case cubic
    case lanczos
  }

  /// The second input's size is the target wherever no factor is given.
  fileprivate var attributes: [String: JSON] {
    var members = Attributes.members([
      ("coordinates", .string(coordinates.rawValue), "half-pixel"),
      ("edge", .string(edge.rawValue), "edge"), ("antialias", .bool(antialias), false),
    ])
    switch kernel {
    case .nearest: members["kernel"] = "nearest"
    case .linear: members["kernel"] = "linear"
    case .cubic(let a):
      members["kernel"] = "cubic"
      members["a"] = .number(a)
    case .lanczos(let lobes):
      members["kernel"] = "lanczos"
      members["lobes"] = .int(lobes)
    }
    if case .factor(let ratio) = target {
      members["factor"] =
        ratio.denominator == 1
        ? .int(ratio.numerator) : .ints([ratio.numerator, ratio.denominator])
    }
    return members
  }

  fileprivate init(_ a: inout Attributes) throws(GraphError) {
    let kernel: Kernel
    switch try a.word("kernel") as Word {
    case .nearest: kernel = .nearest
    case .linear: kernel = .linear
    case .cubic: kernel = .cubic(a: try a.number("a"))
    case .lanczos: kernel = .lanczos(lobes: try a.int("lobes", default: 3))
    }
    let target: Target =
      a.has("factor") ? .factor(try a.ratio("factor")) : .sizeOfSecondInput
    self.init(
      kernel, to: target,
      coordinates: try a.word("coordinates", default: Coordinates.halfPixel),
      edge: try a.word("edge", default: Edge.edge),
      antialias: try a.bool("antialias", default: false))
  }
}

extension Size {
  fileprivate var json: JSON { height == width ? .int(height) : .ints([height, width]) }
}

extension Edges {
  fileprivate var json: JSON {
    self == Edges(top) ? .int(top) : .ints([top, left, bottom, right])
  }
}

extension Border {
  fileprivate var json: JSON {
    switch self {
    case .same: "same"
    case .explicit(let edges): edges.json
    }
  }
}

extension JSON {
  /// An array of integers.
  static func ints(_ values: [Int]) -> JSON { .array(values.map(JSON.int)) }
}
