from lxml import etree
from PIL import Image

print(etree.LXML_VERSION, Image.__version__)
