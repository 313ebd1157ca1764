package import AviaryCheckpoint
package import AviaryGraph

extension WeightIndex {
  /// The index of a file's tensors, of which none is read.
  package init(_ tensors: TensorSource) {
    self.init(Dictionary(tensors.map { ($0.name, $0.shape) }) { $1 })
  }
}
