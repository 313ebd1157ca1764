/// The product of matrices in the last two dimensions, over all others.
package struct MatMul: Hashable, Sendable {
  package init() {}
}

extension MatMul: Operation {
  package static let names = ["matmul"]
  package var name: String { "matmul" }
  package var op: Op { .matmul }
  package var inputCount: ClosedRange<Int> { 2...2 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {}
  package var attributes: [String: JSON] { [:] }

  package func check(_ check: AttributeCheck) throws(GraphError) {}
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let a = inputs[0], b = inputs[1]
    guard a.count >= 2, b.count == a.count, a[a.count - 1] == b[b.count - 2] else {
      throw .mismatch(a, b)
    }
    return try Self.broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
      + [a[a.count - 2], b[b.count - 1]]
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    .whole(reason: "\(name) takes the whole image", size: .unrelated)
  }
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    // Rows of the first, columns of the second, and whole matrices.
    let (rows, columns) = (inputs[input].count - 2, inputs[input].count - 1)
    return dimension < rows || dimension == (input == 0 ? rows : columns) ? dimension : nil
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double {
    Self.elements(output) * Double(inputs[0][inputs[0].count - 1])
  }
}
