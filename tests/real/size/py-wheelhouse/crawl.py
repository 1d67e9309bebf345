import scrapy


class Spider(scrapy.Spider):
    name = "s"
