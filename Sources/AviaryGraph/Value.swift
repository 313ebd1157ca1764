/// A value of a network under construction: what an architecture's `build` works with.
///
///     let x = input.convolution("encoder.0", 64, kernel: 3).relu()
///     return x.transposedConvolution("decoder.0", 3, kernel: 3) + input
///
/// A layer's name is that of its parameters, as PyTorch's state dict would have it, less the last
/// part. A mistake (channels that do not fit, a name used twice) is kept and thrown when the graph
/// is made.
public struct Value {
  let builder: GraphBuilder
  let index: Int

  /// The number of channels.
  public var channels: Int { builder.channels(of: self) }

  /// Any operation that has no learned parameters.
  public func applying(_ op: Op, _ others: Value...) -> Value {
    builder.add(op, [self] + others)
  }

  /// Any operation that has no learned parameters, under a name that the node has for those who ask
  /// for its value; others are numbered.
  public func applying(_ op: Op, named name: String) -> Value {
    builder.add(op, layer: name, [self])
  }
}

// MARK: - Layers with parameters

extension Value {
  /// A convolution.
  ///
  /// - Parameters:
  ///   - border: the padding; half the kernel on every edge where nothing is stated, which keeps
  ///     the size at stride 1 (PyTorch's `padding=k//2`). An even kernel has no half and wants one.
  ///   - shared: whether the parameters of an earlier layer of this name serve again.
  public func convolution(
    _ name: String, _ filters: Int, kernel: Size, stride: Size = 1, dilation: Size = 1,
    groups: Int = 1, border: Border? = nil, bias: Bool = true, shared: Bool = false
  ) -> Value {
    if border == nil, kernel.height % 2 == 0 || kernel.width % 2 == 0 {
      builder.fail(
        .attribute(
          node: name, "border", expected: "a stated border for an even kernel", found: "nothing"))
    }
    let half = [kernel.height / 2 &* dilation.height, kernel.width / 2 &* dilation.width]
    return builder.add(
      .convolution(
        Convolution(
          filters: filters, kernel: kernel, stride: stride, dilation: dilation, groups: groups,
          border: border ?? .explicit(Edges(half[0], half[1], half[0], half[1])), bias: bias)),
      layer: name, shared: shared, [self])
  }

  /// A transposed convolution.
  ///
  /// - Parameter crops: what is cut from the full output; where nothing is stated, what makes the
  ///   output `stride` times as large, the odd row cut at the top and left, as PyTorch's customary
  ///   `padding` and `output_padding` do (Keras cuts it at the bottom and right: `Edges.keras`).
  public func transposedConvolution(
    _ name: String, _ filters: Int, kernel: Size, stride: Size = 1, groups: Int = 1,
    crops: Edges? = nil, bias: Bool = true, shared: Bool = false
  ) -> Value {
    func customary(_ axis: Axis) -> (before: Int, after: Int) {
      let total = kernel[axis] &- stride[axis]
      return total < 0 ? (0, total) : (total - total / 2, total / 2)
    }
    let vertical = customary(.vertical), horizontal = customary(.horizontal)
    return builder.add(
      .transposedConvolution(
        TransposedConvolution(
          filters: filters, kernel: kernel, stride: stride, groups: groups,
          crops: crops
            ?? Edges(vertical.before, horizontal.before, vertical.after, horizontal.after),
          bias: bias)),
      layer: name, shared: shared, [self])
  }

  /// A matrix product over the last dimension.
  public func linear(_ name: String, _ features: Int, bias: Bool = true) -> Value {
    builder.add(.linear(features: features, bias: bias), layer: name, [self])
  }

  /// Batch normalisation, by running statistics in inference.
  public func batchNormalization(
    _ name: String, _ normalization: BatchNormalization = BatchNormalization()
  ) -> Value {
    builder.add(.batchNormalization(normalization), layer: name, [self])
  }

  /// x for x > 0, else a learned multiple of x.
  public func prelu(_ name: String, perChannel: Bool = true) -> Value {
    builder.add(.prelu(perChannel: perChannel), layer: name, [self])
  }
}

// MARK: - Operations without parameters

extension Value {
  /// max(x, 0)
  public func relu() -> Value { applying(.activation(.relu)) }
  /// x for x > 0, else slope · x.
  public func leakyRelu(_ slope: Double) -> Value {
    applying(.activation(.leakyRelu(slope: slope)))
  }
  /// Any activation.
  public func activation(_ activation: Activation) -> Value { applying(.activation(activation)) }
  /// The largest value of each window, which steps by its own size unless stated.
  public func maxPool(_ kernel: Size, stride: Size? = nil, border: Border = .valid) -> Value {
    applying(.maxPool(Pool(kernel: kernel, stride: stride, border: border)))
  }
  /// Channels to space.
  public func pixelShuffle(_ factor: Int, order: ChannelOrder = .pytorch) -> Value {
    applying(.pixelShuffle(factor: factor, order: order))
  }
  /// Interpolation by a whole factor, half-pixel coordinates.
  public func resize(_ kernel: Resize.Kernel, by factor: Int, edge: Resize.Edge = .edge) -> Value {
    guard (1...GraphLimits.window).contains(factor) else {
      builder.fail(
        .attribute(
          node: "resize", "factor", expected: "1 to \(GraphLimits.window)", found: "\(factor)"))
      return self
    }
    return applying(.resize(Resize(kernel, to: .factor(Ratio(factor)), edge: edge)))
  }
  /// Values side by side in the channel dimension.
  public static func concatenate(_ values: [Value]) -> Value {
    precondition(!values.isEmpty, "at least one value to concatenate")
    return values[0].builder.add(.concatenate, values)
  }
  /// The sum, element by element.
  public static func + (a: Value, b: Value) -> Value { a.applying(.add, b) }
  /// The difference, element by element.
  public static func - (a: Value, b: Value) -> Value { a.applying(.subtract, b) }
  /// The product, element by element.
  public static func * (a: Value, b: Value) -> Value { a.applying(.multiply, b) }
  /// Every element times a constant.
  public static func * (a: Value, constant: Double) -> Value { a.applying(.scale([constant])) }
}
