/// A value of a network under construction: what an architecture's `build` works with.
///
///     let x = input.convolution("encoder.0", 64, kernel: 3).relu()
///     return x.transposedConvolution("decoder.0", 3, kernel: 3) + input
///
/// A layer's name is that of its parameters, as PyTorch's state dict would have it, less the last
/// part. A mistake (channels that do not fit, a name used twice) is kept and thrown when the graph
/// is made.
///
/// The methods of each operation are in its file in `Operations`.
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

  /// Any operation, with parameters of these names: what expansions are made of.
  package func applying(_ op: Op, _ others: Value..., parameters: [String]) -> Value {
    builder.add(op, parameters: parameters, [self] + others)
  }
}
