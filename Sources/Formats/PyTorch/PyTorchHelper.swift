/// Functions that a module's file has where PyTorch has none that computes just this.
enum PyTorchHelper: String, CaseIterable {
  case group
  case same
  case depthToSpace
  case spaceToDepth
  case nearest
  case resize
  case cubic
  case lanczos

  /// The function as Python text.
  var text: String {
    switch self {
    case .group:
      #"""
      class Group(nn.Module):
          """Modules, parameters and buffers by name."""

          def __init__(self, members):
              super().__init__()
              for name, member in members.items():
                  if isinstance(member, nn.Module):
                      self.add_module(name, member)
                  elif isinstance(member, nn.Parameter):
                      self.register_parameter(name, member)
                  else:
                      self.register_buffer(name, member)

          def __getitem__(self, name):
              return getattr(self, name)
      """#
    case .same:
      #"""
      def same(x, kernel, stride, dilation=(1, 1), value=0.0):
          """Pads by TensorFlow's rule, the odd row and column at the bottom and right."""
          edges = []
          for axis in (1, 0):
              size, reach = x.shape[2 + axis], (kernel[axis] - 1) * dilation[axis] + 1
              total = max((-(-size // stride[axis]) - 1) * stride[axis] + reach - size, 0)
              edges += [total // 2, total - total // 2]
          return F.pad(x, edges, value=value)
      """#
    case .depthToSpace:
      #"""
      def depth_to_space(x, r):
          """Pixel shuffle in TensorFlow's order of channels."""
          n, c, h, w = x.shape
          x = x.reshape(n, r, r, c // (r * r), h, w).permute(0, 3, 4, 1, 5, 2)
          return x.reshape(n, c // (r * r), h * r, w * r)
      """#
    case .spaceToDepth:
      #"""
      def space_to_depth(x, r):
          """The inverse of pixel shuffle in TensorFlow's order of channels."""
          n, c, h, w = x.shape
          x = x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4)
          return x.reshape(n, c * r * r, h // r, w // r)
      """#
    case .nearest:
      #"""
      def nearest(x, coordinates, factor=None, like=None):
          """The nearest pixel, the later of two, by whole numbers: nothing is rounded."""
          for dim in (2, 3):
              size = x.shape[dim]
              new = like.shape[dim] if factor is None else size * factor[0] // factor[1]
              above, below = (size, new) if factor is None else (factor[1], factor[0])
              place = torch.arange(new, device=x.device)
              if coordinates == "align-corners":
                  above, below = (size - 1, new - 1) if new > 1 else (0, 1)
                  place = (2 * place * above + below) // (2 * below)
              elif coordinates == "half-pixel":
                  place = (2 * place + 1) * above // (2 * below)
              else:
                  place = place * above // below
              x = x.index_select(dim, place.clamp(max=size - 1))
          return x
      """#
    case .resize:
      #"""
      def resize(x, kernel, support, coordinates, edge, antialias, factor=None, like=None):
          """Interpolates rows, then columns: each new pixel is a weighted sum of old ones."""
          for dim in (2, 3):
              size = x.shape[dim]
              new = like.shape[dim] if factor is None else size * factor[0] // factor[1]
              step = size / new if factor is None else factor[1] / factor[0]
              if coordinates == "align-corners":
                  step = (size - 1) / (new - 1) if new > 1 else 0.0
              place = torch.arange(new, dtype=torch.float64) * step
              if coordinates == "half-pixel":
                  place = place + 0.5 * step - 0.5
              widening = max(step, 1.0) if antialias else 1.0
              reach = math.ceil(support * widening)
              near = place.floor()[:, None] + torch.arange(-reach, reach + 1)
              weights = kernel((place[:, None] - near).abs() / widening)
              weights = weights / weights.sum(1, keepdim=True)
              near = near.long()
              if edge == "symmetric":
                  near = near.remainder(2 * size)
                  near = torch.minimum(near, 2 * size - 1 - near)
              matrix = torch.zeros(new, size, dtype=torch.float64)
              matrix = matrix.scatter_add_(1, near.clamp(0, size - 1), weights).to(x)
              x = matrix @ x if dim == 2 else x @ matrix.T
          return x
      """#
    case .cubic:
      #"""
      def cubic(a):
          """Keys's cubic convolution."""
          def kernel(x):
              inner = ((a + 2) * x - (a + 3)) * x * x + 1
              outer = a * (((x - 5) * x + 8) * x - 4)
              return torch.where(x < 1, inner, torch.where(x < 2, outer, torch.zeros_like(x)))
          return kernel
      """#
    case .lanczos:
      #"""
      def lanczos(lobes):
          """A sinc windowed by a wider one."""
          return lambda x: torch.sinc(x) * torch.sinc(x / lobes) * (x < lobes)
      """#
    }
  }
}
