SECRET_KEY = "not a secret: this application keeps none"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["plants"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "garden.urls"
USE_TZ = True
