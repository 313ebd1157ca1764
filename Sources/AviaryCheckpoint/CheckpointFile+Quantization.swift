import AviaryContainers
import AviaryTensor

extension CheckpointFile {
  private typealias Quantization = CheckpointLayout.Quantization

  /// Throws unless a layer's scales are such as a reader takes.
  func requireQuantization(_ path: String) throws(CheckpointError) {
    for layer in quantization {
      try Self.requireValid(layer.node)
      guard (1...Quantization.mostFilters).contains(layer.weightScales.count),
        (layer.weightScales + [layer.inputScale]).allSatisfy(QuantizedLayer.isStep)
      else {
        throw .cannotWrite(
          path: path, reason: "the quantisation: \(layer.node): a step that is none")
      }
    }
  }

  /// Writes the group of the layers' scales, sorted by name.
  func writeQuantization(
    in root: borrowing HDF5Writer.Object, by writer: borrowing HDF5Writer
  ) throws(CheckpointError) {
    guard !quantization.isEmpty else { return }
    let group = try writer.group(CheckpointLayout.Member.quantization, in: root)
    for layer in quantization.sorted(by: { $0.node < $1.node }) {
      let steps: Tensor
      do throws(TensorError) {
        steps = try Tensor(shape: [layer.weightScales.count], layer.weightScales)
      } catch {
        preconditionFailure("a shape of so many elements holds them")
      }
      let dataSet = try writer.tensor(layer.node, steps, in: group)
      let type = layer.isSigned ? Quantization.signed : Quantization.unsigned
      try writer.attribute(Quantization.inputType, type, of: dataSet)
      try writer.attribute(Quantization.inputScale, Double(layer.inputScale), of: dataSet)
    }
  }
}
