import AviaryGraph
import CDNNL

extension Lowering {
  /// What is made of the pixels of a window.
  enum PoolKind {
    case maximum
    case meanOfAll
    case meanOfInside

    var algorithm: dnnl_alg_kind_t {
      switch self {
      case .maximum: dnnl_pooling_max
      case .meanOfAll: dnnl_pooling_avg_include_padding
      case .meanOfInside: dnnl_pooling_avg_exclude_padding
      }
    }
  }

  /// The largest value or the mean of each window.
  mutating func pool(_ unit: Unit, _ pool: Pool, _ kind: PoolKind) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    let edges = pool.border.edges(
      size: Size(input[2], input[3]), kernel: pool.kernel, stride: pool.stride)
    try self.pool(unit, pool.kernel, pool.stride, edges, kind)
  }

  /// The mean of each channel, as a pool whose window is the picture.
  mutating func globalAveragePool(_ unit: Unit) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    try pool(unit, Size(input[2], input[3]), 1, .none, .meanOfAll)
  }

  private mutating func pool(
    _ unit: Unit, _ kernel: Size, _ stride: Size, _ edges: Edges, _ kind: PoolKind
  ) throws(ComputeError) {
    // Padding may differ from edge to edge, and windows need not come out even: oneDNN takes both.
    let descriptor = try PrimitiveDescriptor.pool(
      kind.algorithm, program.descriptor(unit.inputs[0]), to: program.descriptor(unit.output),
      PrimitiveDescriptor.Window(kernel: kernel, stride: stride, padding: edges), .inference,
      engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }
}
