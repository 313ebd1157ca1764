package import AviaryGraph

extension OperationRow {
  // Groups are tested by `Graph.kernelOfEachImage`: inputs of a graph have one image where the graph
  // is checked, and a kernel of one out channel has no groups.
  package static let dynamicConvolution: [OperationRow] = [
    .init(
      .dynamicConvolution(DynamicConvolution()), "{}", [2, 3, 6, 5], [4, 3, 3, 2],
      gives: [2, 4, 4, 4]),
    .init(
      .dynamicConvolution(
        DynamicConvolution(
          stride: Size(2, 1), dilation: Size(1, 2),
          padding: .explicit(PaddingAmounts(1, 2, 0, 1)))),
      #"{"dilation":[1,2],"padding":[1,2,0,1],"stride":[2,1]}"#, [2, 4, 6, 5], [6, 4, 3, 3],
      gives: [2, 6, 3, 4]),
    .init(
      .dynamicConvolution(DynamicConvolution(stride: 2, padding: .same)),
      #"{"padding":"same","stride":2}"#, [1, 2, 7, 8], [2, 2, 3, 3], gives: [1, 2, 4, 4]),
  ]
}

extension Graph {
  /// A convolution of every image with a kernel and a bias of its own: inputs [N, 4, H, W],
  /// [N, 8, 3, 3] and [N, 4, 1, 1], of which the kernel is [N, 4, 2, 3, 3] in two groups.
  ///
  /// - Throws: as `Graph.init`.
  package static func kernelOfEachImage(_ convolution: DynamicConvolution) throws -> Graph {
    try Graph(
      inputs: [
        Graph.Input("x", channels: 4), Graph.Input("kernels", channels: 8, size: Size(3, 3)),
        Graph.Input("biases", channels: 4, size: Size(1, 1)),
      ],
      nodes: [
        Graph.Node("kernel", .reshape(Reshape([0, 4, 2, 3, 3])), inputs: [1]),
        Graph.Node("bias", .reshape(Reshape([0, 4])), inputs: [2]),
        Graph.Node("node", .dynamicConvolution(convolution), inputs: [0, 3, 4]),
      ], outputs: [Graph.Output("y", value: 5)])
  }
}

/// Each image by the kernel, or by its own, as a convolution with these weights.
func naiveDynamicConvolution(_ inputs: [NaiveArray], _ c: DynamicConvolution) -> NaiveArray {
  let (x, kernel) = (inputs[0], inputs[1])
  let bias = inputs.count > 2 ? inputs[2] : nil
  var convolution = c.convolution(kernel.shape)
  convolution.bias = bias != nil
  guard kernel.shape.count == 5 else {
    return naiveConvolution(x, [kernel] + [bias].compactMap { $0 }, convolution)
  }
  func part(_ array: NaiveArray, _ image: Int) -> NaiveArray {
    let count = array.count(from: 1)
    return NaiveArray(
      Array(array.shape.dropFirst()), Array(array.values[image * count..<(image + 1) * count]))
  }
  let results = (0..<x.shape[0]).map { image in
    let alone = part(x, image)
    return naiveConvolution(
      NaiveArray([1] + alone.shape, alone.values),
      [part(kernel, image)] + [bias].compactMap { $0 }.map { part($0, image) }, convolution)
  }
  return NaiveArray([x.shape[0]] + results[0].shape.dropFirst(), results.flatMap(\.values))
}
