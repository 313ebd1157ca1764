import AviaryCheckpoint
import AviaryGraph

/// Windows, strides and padding, as all operators with windows state them.
extension ONNXWriter {
  /// Whether the padding 'same' is another for other sizes.
  func dependsOnSize(_ kernel: Size, _ stride: Size) -> Bool {
    Axis.allCases.contains { stride[$0] > 1 && kernel[$0] > 2 }
  }

  func list(_ size: Size) -> [Int] { [size.height, size.width] }

  /// The padding: as numbers wherever it does not depend on the picture's size.
  func padding(
    _ padding: Padding, kernel: Size, stride: Size, dilation: Size
  ) -> (String, ONNXModelBuilder.Attribute) {
    if padding == .same, dependsOnSize(kernel, stride) {
      return ("auto_pad", .text("SAME_UPPER"))
    }
    // At stride 1 any size tells the padding, and a window of one pixel has none. One of two pixels
    // has one at the end; where the size leaves it none, no window reaches it.
    let edges = padding.amounts(size: Size(1), kernel: kernel, stride: stride, dilation: dilation)
    return ("pads", .integers([edges.top, edges.left, edges.bottom, edges.right]))
  }
}
