import torch
import torch.nn.functional as F
from torch import nn


class fsrcnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature = nn.Conv2d(1, 56, 5, padding=2)
        self.feature_prelu = nn.PReLU(56)
        self.shrink = nn.Conv2d(56, 12, 1)
        self.shrink_prelu = nn.PReLU(12)
        self.map = nn.ModuleList([
            nn.Conv2d(12, 12, 3, padding=1),
            nn.Conv2d(12, 12, 3, padding=1),
            nn.Conv2d(12, 12, 3, padding=1),
            nn.Conv2d(12, 12, 3, padding=1),
        ])
        self.map_prelu = nn.ModuleList([
            nn.PReLU(12),
            nn.PReLU(12),
            nn.PReLU(12),
            nn.PReLU(12),
        ])
        self.expand = nn.Conv2d(12, 56, 1)
        self.expand_prelu = nn.PReLU(56)
        self.deconv = nn.ConvTranspose2d(56, 1, 9, stride=2, padding=4, output_padding=1)

    def forward(self, x):
        x = self.shrink_prelu(self.shrink(self.feature_prelu(self.feature(x))))
        x = self.map_prelu[1](self.map[1](self.map_prelu[0](self.map[0](x))))
        x = self.map_prelu[3](self.map[3](self.map_prelu[2](self.map[2](x))))
        return self.deconv(self.expand_prelu(self.expand(x)))


def load(path="fsrcnn.pt"):
    model = fsrcnn()
    model.load_state_dict(torch.load(path))
    return model.eval()
